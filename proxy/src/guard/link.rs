//! What Pingora's callbacks and the guarded session share: the session cannot be reached once it is boxed.
//!
//! # Invariants
//! * The exchange is in one place at a time: in the link, or lent to the phase that runs. It comes back when the loan is
//!   dropped, also by a panic or a cancelled future.

use crate::upstreams::read_ahead::{ReadAhead, Writing};
use parking_lot::Mutex;
use pingora_core::protocols::http::ServerSession;
use raptorgate_filters::exchange::{Exchange, Outcome};
use raptorgate_filters::pipeline::Pipeline;
use raptorgate_policies::Denial;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

/// One request, as callbacks and session see it.
pub struct Link {
    /// The route's filters.
    pub pipeline: Arc<Pipeline>,
    exchange: Mutex<Option<Box<Exchange>>>,
    real: Mutex<Option<Box<ServerSession>>>,
    attempt: AtomicU32,
    may_retry: AtomicBool,
    replayed: AtomicUsize,
    dispatched: AtomicBool,
    ended: AtomicBool,
    failure: Mutex<Option<Denial>>,
    first_byte: Mutex<Option<Instant>>,
    outcome: Mutex<Option<Outcome>>,
    read_ahead: Mutex<Option<Arc<ReadAhead>>>,
}

impl Link {
    /// A request that begins.
    pub fn new(pipeline: Arc<Pipeline>, exchange: Exchange) -> Arc<Self> {
        Arc::new(Self {
            pipeline,
            exchange: Mutex::new(Some(Box::new(exchange))),
            real: Mutex::new(None),
            attempt: AtomicU32::new(0),
            may_retry: AtomicBool::new(false),
            replayed: AtomicUsize::new(0),
            dispatched: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            failure: Mutex::new(None),
            first_byte: Mutex::new(None),
            outcome: Mutex::new(None),
            read_ahead: Mutex::new(None),
        })
    }

    /// Lends the exchange. `None` only while another phase has it, which one request's phases never do at once.
    pub fn exchange(&self) -> Option<Loan<'_>> {
        let exchange = self.exchange.lock().take()?;
        Some(Loan { link: self, exchange: Some(exchange) })
    }

    /// Before every attempt: the replay starts again, and the session forgets the failed attempt's reply.
    pub fn new_attempt(&self, others_left: OthersLeft) {
        self.replayed.store(0, Relaxed);
        self.attempt.fetch_add(1, Relaxed);
        self.may_retry.store(others_left == OthersLeft::Yes, Relaxed);
        *self.failure.lock() = None;
        *self.read_ahead.lock() = None;
    }

    /// The attempt's reply comes through this.
    pub fn reads_through(&self, ahead: Arc<ReadAhead>) {
        *self.read_ahead.lock() = Some(ahead);
    }

    /// Holds the upstream until what was taken is written.
    pub(super) fn writing(&self) -> Option<Writing> {
        self.read_ahead.lock().as_ref().map(ReadAhead::take)
    }

    /// The request's head goes to an upstream now: from here on it may cost.
    pub fn set_dispatched(&self) {
        self.dispatched.store(true, Relaxed);
    }

    /// Number of attempts begun.
    pub fn attempts(&self) -> u32 {
        self.attempt.load(Relaxed)
    }

    /// True if a failed attempt may be followed by another.
    pub fn may_retry(&self) -> bool {
        self.may_retry.load(Relaxed)
    }

    pub(super) fn replayed(&self) -> &AtomicUsize {
        &self.replayed
    }

    /// Notes why the request fails, for the callback that answers.
    pub fn fail(&self, denial: Denial) {
        *self.failure.lock() = Some(denial);
    }

    /// Why the request failed, if the session knew.
    pub fn failure(&self) -> Option<Denial> {
        self.failure.lock().clone()
    }

    pub(super) fn saw_first_byte(&self) {
        self.first_byte.lock().get_or_insert_with(Instant::now);
    }

    /// When the upstream's reply began.
    pub fn first_byte(&self) -> Option<Instant> {
        *self.first_byte.lock()
    }

    /// Tells the filters that the request is over; only the first call does.
    pub async fn end(&self, end: raptorgate_filters::exchange::End, status: Option<u16>) {
        if self.ended.swap(true, Relaxed) {
            return;
        }
        self.tell(end, status, self.exchange()).await;
    }

    /// The same from outside of the request: false while a phase of it runs. True also if the filters were told before.
    pub async fn try_end(&self, end: raptorgate_filters::exchange::End) -> bool {
        let Some(exchange) = self.exchange() else { return self.is_ended() };
        if !self.ended.swap(true, Relaxed) {
            self.tell(end, None, Some(exchange)).await;
        }
        true
    }

    async fn tell(&self, end: raptorgate_filters::exchange::End, status: Option<u16>, exchange: Option<Loan<'_>>) {
        let (dispatched, replied) = (self.dispatched.load(Relaxed), self.first_byte().is_some());
        let outcome = Outcome { end, status, dispatched, replied };
        if let Some(mut exchange) = exchange {
            self.pipeline.on_end(&outcome, &mut exchange).await;
        }
        *self.outcome.lock() = Some(outcome);
    }

    /// True once the filters were told.
    pub fn is_ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    /// How the request ended.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome.lock().clone()
    }

    pub(super) fn hand_back(&self, real: Option<Box<ServerSession>>) {
        *self.real.lock() = real;
    }

    pub(super) fn take_real(&self) -> Option<Box<ServerSession>> {
        self.real.lock().take()
    }
}

/// Whether another endpoint or attempt is left after this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OthersLeft {
    /// A failure may be retried.
    Yes,
    /// This attempt is the last.
    No,
}

/// The exchange, lent to one phase.
pub struct Loan<'a> {
    link: &'a Link,
    exchange: Option<Box<Exchange>>,
}

impl Deref for Loan<'_> {
    type Target = Exchange;
    #[allow(clippy::expect_used)] // taken only in `drop`
    fn deref(&self) -> &Exchange {
        self.exchange.as_deref().expect("lent until dropped")
    }
}

impl DerefMut for Loan<'_> {
    #[allow(clippy::expect_used)] // taken only in `drop`
    fn deref_mut(&mut self) -> &mut Exchange {
        self.exchange.as_deref_mut().expect("lent until dropped")
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        *self.link.exchange.lock() = self.exchange.take();
    }
}
