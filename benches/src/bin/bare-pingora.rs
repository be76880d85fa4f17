//! `bare-pingora LISTEN UPSTREAM [h2c | CERTIFICATE KEY]`: a Pingora proxy that does nothing but pass on, on one thread.

use async_trait::async_trait;
use pingora_core::apps::HttpServerOptions;
use pingora_core::server::Server;
use pingora_core::server::configuration::ServerConf;
use pingora_core::services::listening::Service;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_proxy::{ProxyHttp, Session, http_proxy};
use raptorgate_benches::peers::{REQUESTS_PER_CONNECTION, UPSTREAM_CONNECTIONS};
use std::net::SocketAddr;

// as raptorgate has it, so that what is compared is the proxying
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Bare(SocketAddr);

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _: &mut Session, (): &mut ()) -> pingora_core::Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.0, false, String::new())))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: bare-pingora LISTEN UPSTREAM [h2c | CERTIFICATE KEY]");
    let (listen, upstream) = (next()?, next()?.parse()?);
    let front = next().ok();
    let conf =
        ServerConf { threads: 1, upstream_keepalive_pool_size: UPSTREAM_CONNECTIONS as usize, ..ServerConf::default() };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut proxy = http_proxy(&server.configuration, Bare(upstream));
    let mut options = HttpServerOptions::default();
    options.keepalive_request_limit = Some(REQUESTS_PER_CONNECTION);
    options.h2c = front.as_deref() == Some("h2c");
    proxy.server_options = Some(options);
    let mut service = Service::new("bare".into(), proxy);
    match front {
        Some(certificate) if certificate != "h2c" => service.add_tls(&listen, &certificate, &next()?)?,
        _ => service.add_tcp(&listen),
    }
    server.add_service(service);
    server.run_forever()
}
