//! A running gateway: binds, serves, reloads on signals and file changes, drains and ends.
//!
//! # Invariants
//! * Everything is bound before anything is served: a port in use is an error at the start, never a half-started gateway.
//! * Shutdown ends as soon as nothing is in flight, and at the latest after `shutdown.drain`
//!   (`an_idle_gateway_stops_at_once`, `a_drain_has_an_end`).

use crate::admin::{self, ControlPanel};
use crate::assembly::{Proxy, assemble};
use crate::control::Control;
use crate::gateway::App;
use crate::listen::{Bound, House, Proxies};
use crate::ops;
use crate::runtime::Shared;
use crate::store;
use crate::telemetry::access_log::AccessLog;
use crate::telemetry::metrics::Metrics;
use crate::tls::{ServerTls, expiry};
use crate::upstreams::Upstreams;
use crate::upstreams::dial::Dialer;
use pingora_core::apps::HttpServerOptions;
use pingora_core::connectors::ConnectorOptions;
use pingora_core::protocols::http::v2::server::H2Options;
use pingora_core::server::configuration::ServerConf;
use raptorgate_config::units::Secret;
use raptorgate_config::{Loaded, Watcher};
use raptorgate_filters::filter::Filter;
use raptorgate_policies::buffers::BufferBudget;
use raptorgate_policies::flood::FloodBook;
use raptorgate_policies::totals::Totals;
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often shutdown looks whether something is still in flight.
const DRAIN_POLL: Duration = Duration::from_millis(10);
/// Idle upstream connections kept, over all upstreams.
const UPSTREAM_POOL_SIZE: usize = 1024;
/// Streams that a client opened and reset before they were looked at; beyond it the connection ends (CVE-2023-44487).
const HTTP2_PENDING_RESETS_MAX: usize = 20;
/// Bytes of a stream that wait to be written to its connection; beyond it the upstream is not read.
const HTTP2_SEND_BUFFER_BYTES_MAX: usize = 16 << 10;
/// Tries that Pingora's loop may take; the route's own bound is lower.
const TRIES_MAX: usize = 32;

/// How `run` serves.
pub struct ServerOptions {
    /// What reloads read; `None`: nothing can be reloaded.
    pub config_path: Option<PathBuf>,
    /// Written with the bound addresses once everything accepts.
    pub ready_file: Option<PathBuf>,
}

/// Serves until SIGTERM or SIGINT, then drains.
pub fn run(loaded: Loaded, options: ServerOptions) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| e.to_string())?;
    let served = runtime.block_on(serve(loaded, options));
    runtime.shutdown_background();
    served
}

async fn serve(loaded: Loaded, options: ServerOptions) -> Result<(), String> {
    let signals = |kind| signal(kind).map_err(|e| format!("cannot listen for signals: {e}"));
    let (mut term, mut int) = (signals(SignalKind::terminate())?, signals(SignalKind::interrupt())?);
    let mut hangup = signals(SignalKind::hangup())?;
    let mut builder = Gateway::builder(loaded);
    if let Some(path) = &options.config_path {
        builder = builder.reloads_from(path);
    }
    let gateway = builder.start().await?;
    let _watcher = options.config_path.as_deref().map(|path| watch_file(path, &gateway)).transpose()?;
    if let Some(path) = &options.ready_file {
        gateway.write_ready_file(path)?;
    }
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = int.recv() => break,
            _ = hangup.recv() => {
                let control = gateway.control.clone();
                // what is wrong with it is logged and kept for the admin API
                tokio::task::spawn_blocking(move || drop(control.reload()));
            }
        }
    }
    gateway.stop().await;
    Ok(())
}

fn watch_file(path: &Path, gateway: &Gateway) -> Result<Watcher, String> {
    let control = gateway.control.clone();
    let named = gateway.control.clone();
    let watcher =
        Watcher::start(path, move || named.files(), move || drop(control.reload())).map_err(|e| e.to_string())?;
    // what changed between reading the file and watching it
    drop(gateway.control.reload());
    Ok(watcher)
}

/// Puts a gateway together.
pub struct Builder {
    loaded: Loaded,
    path: Option<PathBuf>,
    filters: Vec<Arc<dyn Filter>>,
}

impl Builder {
    /// The file that reloads read.
    pub fn reloads_from(mut self, path: &Path) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// Filters added by code, on every route.
    pub fn filters(mut self, filters: Vec<Arc<dyn Filter>>) -> Self {
        self.filters = filters;
        self
    }

    /// Binds everything and serves. Must run inside a tokio runtime.
    pub async fn start(self) -> Result<Gateway, String> {
        let config = &self.loaded.config;
        let metrics = Metrics::new().map_err(|e| e.to_string())?;
        let access_log = AccessLog::open(&config.access_log.output, metrics.access_log_dropped().clone())
            .map_err(|e| format!("cannot open the access log: {e}"))?;
        let keeper = match &config.store {
            Some(store) => Some(store::open(store, &metrics).await?),
            None => None,
        };
        let shared = Arc::new(Shared {
            totals: Arc::new(Totals::default()),
            keeper,
            in_flight: Arc::default(),
            seal: store::seal(config)?.map(Arc::new),
            floods: FloodBook::default(),
            buffers: BufferBudget::new(config.limits.buffered_bytes_max),
            metrics,
            upstreams: Upstreams::new(tokio::runtime::Handle::current()),
            access_log,
            extra_filters: self.filters,
        });
        let control = Control::new(self.loaded, self.path, shared);
        Gateway::open(control).await
    }
}

/// A running gateway.
pub struct Gateway {
    control: Arc<Control>,
    listeners: Vec<SocketAddr>,
    ops: Option<SocketAddr>,
    admin: SocketAddr,
    shutdown: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    side_tasks: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// A gateway that serves this configuration.
    pub fn builder(loaded: Loaded) -> Builder {
        Builder { loaded, path: None, filters: Vec::new() }
    }

    /// Addresses on which requests are accepted, in the order of the configuration.
    pub fn listeners(&self) -> &[SocketAddr] {
        &self.listeners
    }

    /// Address of the admin API.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    async fn open(control: Arc<Control>) -> Result<Self, String> {
        let config = control.config();
        let metrics = control.shared().metrics.clone();
        let mut bound = Vec::with_capacity(config.listeners.len());
        for (n, listener) in config.listeners.iter().enumerate() {
            let tls = ServerTls::new(control.clone(), n);
            if listener.tls.is_some() && control.runtime().acceptor(n).is_none() {
                return Err(format!("cannot set up TLS on {}", listener.address));
            }
            bound.push(Bound::bind(listener, tls, &metrics)?);
        }
        let (admin, admin_task) = open_admin(&control).await?;
        let mut side_tasks = vec![admin_task];
        let mut ops_address = None;
        if let Some(ops) = &config.ops {
            let (address, task) = side_server(ops.address, ops::router(control.clone(), metrics.clone())).await?;
            ops_address = Some(address);
            side_tasks.push(task);
        }
        side_tasks.push(tokio::spawn(measure(control.clone())));
        side_tasks.push(tokio::spawn(expiry::watch(control.clone())));
        if let Some(keeper) = control.shared().keeper.clone() {
            side_tasks.push(tokio::spawn(store::look_after(keeper)));
        }
        let (shutdown, stopped) = watch::channel(false);
        let proxies = Proxies {
            http1: Arc::new(proxy(&control, Preface::Ignored).await?),
            http2: Arc::new(proxy(&control, Preface::Expected).await?),
        };
        let listeners = bound.iter().map(Bound::address).collect();
        let house = House::new(control.clone());
        let serve = |b: Bound| tokio::spawn(b.serve(proxies.clone(), house.clone(), stopped.clone()));
        let tasks = bound.into_iter().map(serve).collect();
        control.set_ready();
        Ok(Self { control, listeners, ops: ops_address, admin, shutdown, tasks, side_tasks })
    }

    fn write_ready_file(&self, path: &Path) -> Result<(), String> {
        let text = |address: &SocketAddr| address.to_string();
        let listeners: Vec<_> = self.listeners.iter().map(text).collect();
        let ready = json!({"listeners": listeners, "ops": self.ops.as_ref().map(text), "admin": text(&self.admin)});
        // whole or not at all: a reader never sees half of it
        let partial = path.with_extension("partial");
        std::fs::write(&partial, ready.to_string())
            .and_then(|()| std::fs::rename(&partial, path))
            .map_err(|e| format!("cannot write {}: {e}", path.display()))
    }

    /// Stops accepting, waits for what is in flight, ends.
    pub async fn stop(mut self) {
        self.control.set_draining();
        self.shutdown.send_replace(true);
        for task in self.tasks.drain(..) {
            drop(task.await);
        }
        let patience = self.control.config().drain_max;
        let began = Instant::now();
        while self.control.shared().metrics.in_flight() > 0 && began.elapsed() < patience {
            tokio::time::sleep(DRAIN_POLL).await;
        }
        let left = self.control.shared().metrics.in_flight();
        if left > 0 {
            tracing::warn!(requests = left, "drain time is over, requests are dropped");
            self.control.shared().in_flight.end_all().await;
        }
        if let Some(keeper) = &self.control.shared().keeper {
            store::flush(keeper).await;
        }
        self.control.shared().access_log.close();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        for task in self.tasks.drain(..).chain(self.side_tasks.drain(..)) {
            task.abort();
        }
    }
}

/// Whether plain connections of a proxy begin with the HTTP/2 preface.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Preface {
    Expected,
    Ignored,
}

async fn proxy(control: &Arc<Control>, preface: Preface) -> Result<Proxy, String> {
    let conf = ServerConf {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        upstream_keepalive_pool_size: UPSTREAM_POOL_SIZE,
        max_retries: TRIES_MAX,
        ..ServerConf::default()
    };
    let read_ahead = control.shared().metrics.read_ahead_bytes().clone();
    let dialer = Dialer::new(ConnectorOptions::from_server_conf(&conf), read_ahead);
    let mut proxy = assemble(conf, App::new(control.clone()), dialer).await?;
    let mut options = HttpServerOptions::default();
    options.h2c = preface == Preface::Expected;
    let limits = control.config().limits.clients;
    options.h2_idle_timeout = Some(limits.idle_timeout);
    proxy.server_options = Some(options);
    let mut http2 = H2Options::default();
    http2.max_concurrent_streams(limits.http2_streams_max);
    http2.max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX));
    http2.max_pending_accept_reset_streams(HTTP2_PENDING_RESETS_MAX);
    http2.max_send_buffer_size(HTTP2_SEND_BUFFER_BYTES_MAX);
    proxy.h2_options = Some(http2);
    Ok(proxy)
}

async fn open_admin(control: &Arc<Control>) -> Result<(SocketAddr, JoinHandle<()>), String> {
    let config = control.config();
    let token = config.admin.token.clone().unwrap_or_else(print_new_token);
    let mut hosts = config.admin.hosts.clone();
    hosts.push(config.admin.address.ip().to_string());
    side_server(config.admin.address, admin::router(control.clone(), token, hosts)).await
}

/// The one secret that is ever printed: nobody else knows it yet.
fn print_new_token() -> Secret {
    let token = admin::make_token();
    eprintln!("admin token (made for this run, since admin.token is not set): {}", token.reveal());
    token
}

async fn side_server(address: SocketAddr, router: axum::Router) -> Result<(SocketAddr, JoinHandle<()>), String> {
    let cannot = |e| format!("cannot listen on {address}: {e}");
    let socket = TcpListener::bind(address).await.map_err(cannot)?;
    let bound = socket.local_addr().map_err(cannot)?;
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(socket, router).await {
            tracing::error!(%error, "a side listener ended");
        }
    });
    Ok((bound, task))
}

/// Brings the gauges up to date that nothing else does.
async fn measure(control: Arc<Control>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        let used = i64::try_from(control.shared().buffers.used()).unwrap_or(i64::MAX);
        control.shared().metrics.buffered_bytes().set(used);
        control.shared().upstreams.measure();
        if let Some(keeper) = &control.shared().keeper {
            control.shared().metrics.set_keeper(keeper.figures());
        }
    }
}
