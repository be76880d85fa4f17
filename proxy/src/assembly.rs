//! A Pingora proxy with a connector of our own.
//!
//! Pingora makes one only inside of a service, and lets nobody take it out but the handler of a connection. So the service
//! is started on a port of the loopback device, gets one connection, hands its proxy out, and ends: all before anything is
//! served.

use crate::gateway::App;
use crate::upstreams::dial::Dialer;
use futures::FutureExt;
use parking_lot::Mutex;
use pingora_core::apps::HttpServerOptions;
use pingora_core::protocols::Stream;
use pingora_core::server::configuration::ServerConf;
use pingora_core::server::{Fds, ShutdownWatch};
use pingora_core::services::Service as _;
use pingora_proxy::{HttpProxy, ProcessCustomSession, ProxyServiceBuilder};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};

/// Pingora's proxy, as it is here.
pub type Proxy = HttpProxy<App, Dialer>;

/// Patience with all of it, which takes a millisecond.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause before looking again whether the service has ended.
const PAUSE: Duration = Duration::from_millis(1);

/// Makes a proxy whose connections to HTTP/1.1 upstreams are made by [`Dialer`].
pub async fn assemble(conf: ServerConf, app: App, dialer: Dialer) -> Result<Proxy, String> {
    let made = tokio::time::timeout(PATIENCE, take_out(conf, app, dialer)).await;
    made.map_err(|_| "the proxy could not be put together in time".to_owned())?
        .map_err(|e| format!("cannot put the proxy together: {e}"))
}

async fn take_out(conf: ServerConf, app: App, dialer: Dialer) -> std::io::Result<Proxy> {
    let (tell, told) = oneshot::channel();
    let tell = Mutex::new(Some(tell));
    let hand_out: ProcessCustomSession<App, Dialer> =
        Arc::new(move |proxy: Arc<Proxy>, _: Stream, _: &ShutdownWatch| {
            if let Some(tell) = tell.lock().take() {
                drop(tell.send(proxy));
            }
            async { None }.boxed()
        });
    let mut always = HttpServerOptions::default();
    always.force_custom = true;
    let builder = ProxyServiceBuilder::new(&Arc::new(conf), app).custom(dialer, hand_out).server_options(always);
    let mut service = builder.build();
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    service.add_tcp(&address.to_string());
    let mut inherited = Fds::new();
    inherited.add(address.to_string(), socket.into_raw_fd());
    let inherited = Arc::new(Mutex::new(inherited));
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(async move { service.start_service(Some(inherited), stopped, 1).await });
    let connection = TcpStream::connect(address).await?;
    let proxy = told.await.map_err(|_| std::io::ErrorKind::BrokenPipe)?;
    drop(connection);
    // not to its end: it would tell the proxy to stop
    serving.abort();
    stop.send_replace(true);
    alone(proxy).await
}

/// Waits until nobody else holds it.
async fn alone(mut proxy: Arc<Proxy>) -> std::io::Result<Proxy> {
    loop {
        match Arc::try_unwrap(proxy) {
            Ok(proxy) => return Ok(proxy),
            Err(shared) => proxy = shared,
        }
        tokio::time::sleep(PAUSE).await;
    }
}
