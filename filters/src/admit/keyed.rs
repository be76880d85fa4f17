//! What a key that another request has, or had, means for this one: waiting, an answer that was given before, or a refusal.
//!
//! # Invariants
//! * Nobody waits for longer than the configuration says, nor after its client has left (`no_wait_outlives_its_client`).

use super::Admit;
use crate::exchange::{Exchange, KeyResult};
use crate::filter::Decision;
use crate::kept::KeptReply;
use http::{HeaderName, HeaderValue};
use raptorgate_config::model::OnDuplicate;
use raptorgate_policies::Denial;
use raptorgate_policies::admission::{Claim, Keeper, Prepared};
use raptorgate_policies::denial::KeyRefusal;
use raptorgate_policies::ledger::{KeyAnswer, KeyEnding, KeyUse};
use raptorgate_policies::store::Now;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The first look at a key that is held comes so soon after the refusal; each later one after twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(5);
/// A key is looked at so often at least.
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// Statuses by which an upstream says that it did not do what was asked, and when to ask again.
const NOT_SERVED: [u16; 2] = [429, 503];

/// One request's wait for its keys.
pub(super) struct Wait {
    began: Instant,
    waited: bool,
}

/// What to do about a key.
pub(super) enum Next {
    /// Ask for admission again: the key is free, or says something else by now.
    Ask,
    /// This is the end of it.
    Decide(Decision),
}

impl Wait {
    pub fn new() -> Self {
        Self { began: Instant::now(), waited: false }
    }

    /// Waits until the key is not held any more; false if it still is when nobody may wait any longer.
    async fn until_free(&mut self, keeper: &Keeper, of: &Held<'_>, exchange: &Exchange) -> Result<bool, Denial> {
        self.waited = true;
        let mut pause = PAUSE_MIN;
        loop {
            let left = of.wait_max.saturating_sub(self.began.elapsed());
            if left.is_zero() || exchange.client_left.load(Relaxed) {
                return Ok(false);
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = PAUSE_MAX.min(pause * 2);
            match keeper.store().key(&of.prepared.tenant, of.key, Now::Store).await {
                Ok(Some(KeyAnswer::InProgress { .. })) => {}
                Ok(_) => return Ok(true),
                Err(error) => {
                    tracing::warn!(class = error.class(), "the store did not say what became of a key");
                    return Err(Denial::StoreUnavailable);
                }
            }
        }
    }
}

/// The key that is in the way.
struct Held<'a> {
    prepared: &'a Prepared,
    claim: Claim,
    wait_max: Duration,
    key: &'a KeyUse,
}

impl Admit {
    /// What the answer of one of the request's keys means.
    pub(super) async fn keyed(
        &self,
        (index, answer): (usize, KeyAnswer),
        keeper: &Keeper,
        prepared: &Prepared,
        wait: &mut Wait,
        exchange: &mut Exchange,
    ) -> Next {
        let Some((claim, wait_max, key)) = prepared.claimed(index) else {
            return Next::Decide(Decision::Deny(Denial::Internal));
        };
        let (result, decision) = match answer {
            KeyAnswer::InProgress { .. } => {
                let held = Held { prepared, claim, wait_max, key };
                return self.held(&held, keeper, wait, exchange).await;
            }
            KeyAnswer::Replied { reply, .. } => self.replied(reply.as_deref(), prepared, key, wait),
            KeyAnswer::Mismatch => (KeyResult::Mismatch, Decision::Deny(Denial::Key(KeyRefusal::Mismatch))),
            KeyAnswer::Unknown { .. } => (KeyResult::Unknown, Decision::Deny(Denial::Key(KeyRefusal::Unknown))),
        };
        exchange.report.key = Some(result);
        Next::Decide(decision)
    }

    async fn held(&self, held: &Held<'_>, keeper: &Keeper, wait: &mut Wait, exchange: &mut Exchange) -> Next {
        let refused = match held.claim {
            Claim::Idempotency => Denial::Key(KeyRefusal::InProgress),
            Claim::Execution => Denial::Key(KeyRefusal::Locked),
        };
        let waits = held.claim == Claim::Execution || self.on_duplicate == OnDuplicate::Wait;
        let free = if waits { wait.until_free(keeper, held, exchange).await } else { Ok(false) };
        match free {
            Ok(true) => return Next::Ask,
            Ok(false) if held.claim == Claim::Idempotency => exchange.report.key = Some(KeyResult::InProgress),
            Ok(false) | Err(_) => {}
        }
        Next::Decide(Decision::Deny(free.err().unwrap_or(refused)))
    }

    fn replied(&self, sealed: Option<&[u8]>, prepared: &Prepared, key: &KeyUse, wait: &Wait) -> (KeyResult, Decision) {
        let not_stored = (KeyResult::NotStored, Decision::Deny(Denial::Key(KeyRefusal::NotStored)));
        let Some(sealed) = sealed else { return not_stored };
        let open = self.seal.as_ref().and_then(|seal| seal.open(&prepared.tenant, &key.key, sealed));
        let Some(mut reply) = open.as_deref().and_then(KeptReply::read) else {
            tracing::error!("a kept reply cannot be opened: it was changed, or sealed with another key");
            return not_stored;
        };
        reply.headers.insert(REPLAYED, HeaderValue::from_static("true"));
        let result = if wait.waited { KeyResult::Waited } else { KeyResult::Replayed };
        (result, Decision::Reply(reply))
    }

    /// What becomes of a request's idempotency key.
    pub(super) fn key_ending(&self, held: &Prepared, reached: Reached, exchange: &Exchange) -> KeyEnding {
        let keep_micros = held.keep_micros();
        let kept = exchange.kept.as_ref();
        match reached {
            Reached::Nobody => KeyEnding::Free,
            Reached::Upstream => KeyEnding::Unknown { keep_micros },
            Reached::Client if kept.is_some_and(|kept| NOT_SERVED.contains(&kept.status().as_u16())) => KeyEnding::Free,
            Reached::Client => {
                let seal = self.seal.as_ref().zip(held.idempotency_key());
                let sealed = kept.zip(seal).and_then(|(kept, (seal, key))| seal.seal(&held.tenant, key, kept.text()));
                KeyEnding::Reply { reply: sealed, keep_micros }
            }
        }
    }
}

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// Nothing was sent.
    Nobody,
    /// It was sent, and no reply began.
    Upstream,
    /// A reply began.
    Client,
}
