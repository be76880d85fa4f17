//! nginx, HAProxy and Envoy, each with one worker and the same bounds as raptorgate.
//!
//! All keep connections to the upstream, take [`REQUESTS_PER_CONNECTION`] from an HTTP/1.1 client where they can count them,
//! tell the upstream the client's address, and write no access log. Where the reply is a stream, they pass each event at once.

use crate::Failure;
use crate::contender::{Contender, Place, free_address};
use crate::workload::Front;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// raptorgate's default of `limits.requests_per_connection`.
pub const REQUESTS_PER_CONNECTION: u32 = 10_000;
/// raptorgate's default of `pool.requests_max`.
pub const UPSTREAM_CONNECTIONS: u32 = 1024;

/// The programs of the peers.
pub struct Peers {
    /// nginx, as it is found in `PATH`.
    pub nginx: PathBuf,
    /// HAProxy, as it is found in `PATH`.
    pub haproxy: PathBuf,
    /// Envoy's own program, not the script of its Python package, which would stay above it.
    pub envoy: PathBuf,
}

impl Peers {
    /// Starts nginx.
    pub fn nginx(&self, place: &Place) -> Result<Contender, Failure> {
        let address = free_address()?;
        let file = write(place, "nginx.conf", &nginx(place, address))?;
        let prefix = place.folder.to_string_lossy();
        Contender::listening("nginx", address, &self.nginx, &["-p", &prefix, "-e", "stderr", "-c", &file])
    }

    /// Starts HAProxy.
    pub fn haproxy(&self, place: &Place) -> Result<Contender, Failure> {
        let address = free_address()?;
        let (certificate, key) = place.certificate_and_key();
        if place.workload.front() == Front::Tls {
            let both = std::fs::read_to_string(certificate)? + &std::fs::read_to_string(key)?;
            write(place, "both.pem", &both)?;
        }
        let file = write(place, "haproxy.cfg", &haproxy(place, address))?;
        Contender::listening("HAProxy", address, &self.haproxy, &["-db", "-q", "-f", &file])
    }

    /// Starts Envoy.
    pub fn envoy(&self, place: &Place) -> Result<Contender, Failure> {
        let address = free_address()?;
        let file = write(place, "envoy.yaml", &envoy(place, address))?;
        let arguments = ["-c", &file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"];
        Contender::listening("Envoy", address, &self.envoy, &arguments)
    }
}

fn write(place: &Place, name: &str, text: &str) -> Result<String, Failure> {
    let file: &Path = &place.folder.join(name);
    std::fs::write(file, text)?;
    Ok(file.to_string_lossy().into_owned())
}

fn nginx(place: &Place, address: SocketAddr) -> String {
    let (certificate, key) = place.certificate_and_key();
    let (kind, requests) = match place.workload.front() {
        Front::Http1 => (String::new(), REQUESTS_PER_CONNECTION),
        Front::Tls => (
            format!(" ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.3"),
            REQUESTS_PER_CONNECTION,
        ),
        // the others do not count them here
        Front::Http2 => (" http2".into(), 1_000_000),
    };
    let buffering = if place.workload.is_stream() { "off" } else { "on" };
    // 64k: a request of 32 KiB must not go through a file
    format!(
        "daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path client_body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    client_body_buffer_size 64k;
    keepalive_requests {requests};
    keepalive_timeout 60s;
    upstream agents {{ server {}; keepalive {UPSTREAM_CONNECTIONS}; keepalive_requests 1000000; }}
    server {{
        listen {address}{kind};
        location / {{
            proxy_pass http://agents;
            proxy_http_version 1.1;
            proxy_buffering {buffering};
            proxy_set_header Connection \"\";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
",
        place.upstream
    )
}

fn haproxy(place: &Place, address: SocketAddr) -> String {
    let kind = match place.workload.front() {
        Front::Http1 => String::new(),
        Front::Tls => format!(" ssl crt {} ssl-min-ver TLSv1.3", place.folder.join("both.pem").display()),
        Front::Http2 => " proto h2".into(),
    };
    let delay = if place.workload.is_stream() { "    option http-no-delay\n" } else { "" };
    format!(
        "global
    nbthread 1
    maxconn 4096
defaults
    mode http
{delay}    option forwardfor
    http-reuse always
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-request 10s
    timeout http-keep-alive 60s
frontend clients
    bind {address}{kind}
    http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
    default_backend agents
backend agents
    server agent {} pool-max-conn {UPSTREAM_CONNECTIONS}
",
        place.upstream
    )
}

fn envoy(place: &Place, address: SocketAddr) -> String {
    let (certificate, key) = place.certificate_and_key();
    let (codec, limit, tls) = match place.workload.front() {
        Front::Http1 => ("HTTP1", format!("max_requests_per_connection: {REQUESTS_PER_CONNECTION}, "), String::new()),
        Front::Http2 => ("HTTP2", String::new(), String::new()),
        Front::Tls => ("HTTP1", String::new(), envoy_tls(&certificate, &key)),
    };
    let (upstream_ip, upstream_port) = (place.upstream.ip(), place.upstream.port());
    format!(
        "static_resources:
  listeners:
  - address: {{ socket_address: {{ address: {}, port_value: {} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: clients
          codec_type: {codec}
          use_remote_address: true
          common_http_protocol_options: {{ {limit}idle_timeout: 60s }}
          route_config:
            virtual_hosts:
            - name: all
              domains: [\"*\"]
              routes: [{{ match: {{ prefix: / }}, route: {{ cluster: agents, timeout: 600s }} }}]
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ \"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
{tls}  clusters:
  - name: agents
    type: STATIC
    connect_timeout: 5s
    circuit_breakers: {{ thresholds: [{{ max_connections: {UPSTREAM_CONNECTIONS}, max_requests: {UPSTREAM_CONNECTIONS} }}] }}
    load_assignment:
      cluster_name: agents
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: {upstream_ip}, port_value: {upstream_port} }} }} }}
",
        address.ip(),
        address.port()
    )
}

fn envoy_tls(certificate: &str, key: &str) -> String {
    format!(
        "      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            tls_params: {{ tls_minimum_protocol_version: TLSv1_3 }}
            tls_certificates: [{{ certificate_chain: {{ filename: {certificate} }}, private_key: {{ filename: {key} }} }}]
"
    )
}
