//! One active health check: a GET on a new connection, judged by its status.

use crate::telemetry::upstream_metrics::CheckResult;
use http::Uri;
use pingora_core::connectors::http::Connector;
use pingora_core::protocols::http::client::HttpSession;
use pingora_core::upstreams::peer::{HttpPeer, Peer};
use pingora_core::{ErrorType, OrErr, Result};
use pingora_http::RequestHeader;
use raptorgate_config::model::{HealthCheck, StatusRange};

const USER_AGENT: &str = concat!("raptorgate-health-check/", env!("CARGO_PKG_VERSION"));

/// Asks an endpoint how it is. `host` is the value of `Host`.
pub async fn probe(connector: &Connector, peer: HttpPeer, check: &HealthCheck, host: &str) -> CheckResult {
    match tokio::time::timeout(check.timeout, status(connector, peer, check, host)).await {
        Err(_) => CheckResult::Timeout,
        Ok(Ok(status)) if check.expect_status.iter().any(|range| is_in(*range, status)) => CheckResult::Passed,
        Ok(Ok(_)) => CheckResult::WrongStatus,
        Ok(Err(result)) => result,
    }
}

fn is_in(range: StatusRange, status: u16) -> bool {
    (range.first..=range.last).contains(&status)
}

/// HTTP/2 names scheme and authority in the head; left to itself, Pingora says `https` also without TLS.
fn whole_uri(peer: &HttpPeer, host: &str, path: &str) -> Result<Uri> {
    let scheme = if peer.tls() { "https" } else { "http" };
    Uri::builder()
        .scheme(scheme)
        .authority(host)
        .path_and_query(path)
        .build()
        .or_err(ErrorType::InvalidHTTPHeader, "no URI of a health check")
}

async fn status(
    connector: &Connector,
    mut peer: HttpPeer,
    check: &HealthCheck,
    host: &str,
) -> Result<u16, CheckResult> {
    // a connection with one stream is never kept for the next: each check proves that the endpoint accepts connections
    peer.options.max_h2_streams = 1;
    let connected = connector.get_http_session(&peer).await;
    let (mut session, _) = connected.map_err(|e| match e.etype() {
        ErrorType::ConnectTimedout | ErrorType::TLSHandshakeTimedout => CheckResult::Timeout,
        _ => CheckResult::ConnectFailed,
    })?;
    let asked = async {
        let mut head = RequestHeader::build("GET", check.path.as_bytes(), None)?;
        if matches!(session, HttpSession::H2(_)) {
            head.set_uri(whole_uri(&peer, host, &check.path)?);
        }
        head.insert_header(http::header::HOST, host)?;
        head.insert_header(http::header::USER_AGENT, USER_AGENT)?;
        session.write_request_header(Box::new(head)).await?;
        session.finish_request_body().await?;
        session.read_response_header().await
    };
    asked.await.map_err(|_| CheckResult::Broken)?;
    let status = session.response_header().map(|head| head.status.as_u16());
    status.ok_or(CheckResult::Broken)
}
