//! What an attempt's endpoint depends on: room at the upstream, and what this request is told apart by.
//!
//! # Invariants
//! * A client that leaves while its request waits for room gives its place in the queue away
//!   (`who_leaves_the_queue_makes_room`).

use super::context::RequestContext;
use crate::runtime::upstream::UpstreamSet;
use crate::upstreams::gate::Place;
use pingora_core::{Error, ErrorType, Result};
use pingora_proxy::Session;
use raptorgate_config::model::{Balance, HashKey};
use raptorgate_policies::balance::{KeyHash, Method};
use raptorgate_policies::{Denial, TimeoutPhase};
use std::pin::pin;

/// Takes the request's place at its upstream, for all its attempts.
pub async fn enter(session: &mut Session, ctx: &mut RequestContext, upstream: &UpstreamSet) -> Result<()> {
    match place(session, ctx, upstream).await? {
        Ok(place) => {
            ctx.place = Some((place, upstream.metrics.enter()));
            Ok(())
        }
        Err(denial) => Err(refuse(ctx, denial)),
    }
}

async fn place(session: &mut Session, ctx: &RequestContext, upstream: &UpstreamSet) -> Result<Result<Place, Denial>> {
    let body_read = ctx.link.as_ref().is_some_and(|link| link.pipeline.reads_request_body());
    let watched = !session.is_upgrade_req() && (body_read || session.as_downstream_mut().is_body_done());
    if !watched {
        return Ok(upstream.enter().await);
    }
    let mut entered = pin!(upstream.enter());
    let left = tokio::select! {
        biased;
        place = &mut entered => return Ok(place),
        // Pingora does not poll the client while we wait here
        left = session.as_downstream_mut().read_body_or_idle(true) => left,
    };
    match ctx.link.as_ref().and_then(|link| link.failure()) {
        // nothing was sent yet: the patience with the first byte begins later
        Some(Denial::UpstreamTimeout(TimeoutPhase::FirstByte)) => Ok(entered.await),
        Some(_) | None => Err(left.err().unwrap_or_else(|| Error::new(ErrorType::ConnectionClosed).into_down())),
    }
}

/// An error that ends the request with this refusal.
pub fn refuse(ctx: &RequestContext, denial: Denial) -> Box<Error> {
    let code = denial.code();
    if let Some(link) = &ctx.link {
        link.fail(denial);
    }
    Error::explain(ErrorType::ConnectError, code).into_up()
}

/// How endpoints are chosen for this request; in turn if it has not what they are hashed by.
pub fn method(session: &Session, ctx: &RequestContext, balance: &Balance) -> Method {
    match balance {
        Balance::RoundRobin => Method::RoundRobin,
        Balance::LeastRequests => Method::LeastRequests,
        Balance::Hash(key) => hash(session, ctx, key).map_or(Method::RoundRobin, Method::Key),
    }
}

fn hash(session: &Session, ctx: &RequestContext, key: &HashKey) -> Option<KeyHash> {
    match key {
        HashKey::Address => Some(KeyHash::of(ctx.record.as_ref()?.client.to_string().as_bytes())),
        HashKey::Header(name) => {
            let value = session.req_header().headers.get(name)?.as_bytes();
            (!value.is_empty()).then(|| KeyHash::of(value))
        }
        HashKey::User => {
            let exchange = ctx.link.as_ref()?.exchange()?;
            let identity = exchange.identity.as_ref()?;
            // neither name can hold a line break
            Some(KeyHash::of(format!("{}\n{}", identity.tenant(), identity.user()).as_bytes()))
        }
    }
}
