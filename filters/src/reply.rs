//! The way out: a reply driven through a route's filters, whole or while it passes.
//!
//! # Invariants
//! * A reply that is held whole gives the same frames to a transform as one that streams
//!   (`a_held_reply_equals_a_streamed_one`).
//! * After an error nothing more comes out (`nothing_follows_an_error`).
//! * What came before a refusal passes the filters behind it first (`masked_texts_go_out_as_masked_until_the_leak`).

use crate::exchange::Exchange;
use crate::filter::{BodyKind, Decision, Ended, Filter, FilterName, GateNeed, Reply, ResponseTransform, WholeResponse};
use crate::frame::Frame;
use crate::framers::Framer;
use crate::framers::json::JsonLimits;
use crate::payload::Payload;
use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use http::{HeaderMap, StatusCode};
use raptorgate_policies::Denial;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What one filter does with a reply.
pub enum Step {
    /// Sees it frame by frame.
    Transform(FilterName, Box<dyn ResponseTransform>),
    /// Sees it whole.
    Gate(Arc<dyn Filter>),
    /// Nobody gets it: it is read to its end for the steps before this one, such as the meter.
    Refuse(Denial),
}

/// How a reply's body will be seen.
pub struct ReplyPlan {
    kind: BodyKind,
    steps: Vec<Step>,
}

impl ReplyPlan {
    /// The steps in order, for a body of this kind.
    pub fn new(kind: BodyKind, steps: Vec<Step>) -> Self {
        Self { kind, steps }
    }

    /// Nobody looks at it.
    pub fn is_pass(&self) -> bool {
        self.steps.is_empty()
    }

    /// Somebody must see it whole.
    pub fn is_gate(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Gate(_) | Step::Refuse(_)))
    }

    /// A step that sees the whole reply must not be left out.
    pub fn must_be_whole(&self) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Gate(filter) => filter.gate() == GateNeed::Required,
            Step::Refuse(_) => true,
            Step::Transform(..) => false,
        })
    }

    /// Drives the reply while it passes. Steps that need it whole are left out.
    pub fn into_stream(self, limits: JsonLimits) -> ReplyStream {
        let transforms = self.steps.into_iter().filter_map(|step| match step {
            Step::Transform(name, transform) => Some((name, transform)),
            Step::Gate(_) | Step::Refuse(_) => None,
        });
        ReplyStream { framer: Framer::new(self.kind, limits), transforms: transforms.collect(), failed: false }
    }

    /// Decides on the whole reply, step by step.
    pub async fn decide(self, mut whole: WholeResponse, limits: JsonLimits, exchange: &mut Exchange) -> Verdict {
        for step in self.steps {
            match step {
                Step::Refuse(denial) => return Verdict::Deny(denial),
                Step::Gate(filter) => {
                    let decided = AssertUnwindSafe(filter.on_response(&mut whole, exchange)).catch_unwind().await;
                    match decided {
                        Ok(Decision::Continue) => {}
                        Ok(Decision::Deny(denial)) => return Verdict::Deny(denial),
                        Ok(Decision::Reply(reply)) => return Verdict::Send(reply),
                        Err(_) => {
                            exchange.report.panicked = Some(filter.name());
                            return Verdict::Deny(Denial::Internal);
                        }
                    }
                }
                Step::Transform(name, transform) => {
                    let mut stream = ReplyStream {
                        framer: Framer::new(self.kind, limits),
                        transforms: vec![(name, transform)],
                        failed: false,
                    };
                    let body = std::mem::replace(&mut whole.body, Payload::new(Bytes::new(), limits)).into_bytes();
                    let mut out = BytesMut::with_capacity(body.len());
                    let ran = stream
                        .push(body, exchange, &mut out)
                        .and_then(|()| stream.finish(Ended::Whole, exchange, &mut out));
                    if let Err(denial) = ran {
                        return Verdict::Deny(denial);
                    }
                    whole.body.replace(out.freeze());
                }
            }
        }
        Verdict::Send(Reply { status: whole.status, headers: whole.headers, body: whole.body.into_bytes() })
    }
}

/// What was decided on a whole reply.
#[derive(Debug)]
pub enum Verdict {
    /// Send this.
    Send(Reply),
    /// Refuse.
    Deny(Denial),
}

/// A reply that is looked at while it passes.
pub struct ReplyStream {
    framer: Framer,
    transforms: Vec<(FilterName, Box<dyn ResponseTransform>)>,
    failed: bool,
}

impl ReplyStream {
    /// Takes the next bytes, cut anywhere; appends what may go to the client now.
    pub fn push(&mut self, bytes: Bytes, exchange: &mut Exchange, out: &mut BytesMut) -> Result<(), Denial> {
        if self.failed {
            return Ok(());
        }
        let mut frames = Vec::new();
        let framed = self.framer.push(bytes, &mut frames);
        self.run(frames, exchange, out)?;
        // what came whole before the bad part has gone on: it was read and judged
        framed.map_err(|_| self.fail(Denial::UpstreamInvalidReply))
    }

    /// The reply is over: what was held back goes out.
    pub fn finish(&mut self, ended: Ended, exchange: &mut Exchange, out: &mut BytesMut) -> Result<(), Denial> {
        if self.failed {
            return Ok(());
        }
        let mut frames = Vec::new();
        let framed = match ended {
            Ended::Whole => self.framer.finish(&mut frames),
            // half an event is not an event
            Ended::Broken | Ended::Stopped => Ok(()),
        };
        self.run(frames, exchange, out)?;
        framed.map_err(|_| self.fail(Denial::UpstreamInvalidReply))?;
        self.flush(ended, exchange, out)
    }

    fn run(&mut self, frames: Vec<Frame>, exchange: &mut Exchange, out: &mut BytesMut) -> Result<(), Denial> {
        let mut frames = frames;
        let mut refused = None;
        for (name, transform) in &mut self.transforms {
            let mut next = Vec::with_capacity(frames.len());
            let ran = catch_unwind(AssertUnwindSafe(|| {
                for frame in frames {
                    // what follows a refusal stays here
                    if exchange.refused.is_none() {
                        transform.on_frame(frame, exchange, &mut next);
                    }
                }
            }));
            if ran.is_err() {
                exchange.report.panicked = Some(*name);
                return Err(self.fail(Denial::Internal));
            }
            frames = next;
            // what came before a refusal goes through those behind; one of theirs comes earlier in the reply
            refused = exchange.refused.take().or(refused);
        }
        exchange.refused = refused;
        encode(frames, out);
        self.refused(exchange)
    }

    /// A transform that finds what must not go on says so on the exchange; the reply is cut behind what came before.
    fn refused(&mut self, exchange: &mut Exchange) -> Result<(), Denial> {
        exchange.refused.take().map_or(Ok(()), |denial| Err(self.fail(denial)))
    }

    /// Ends the transforms in order; what one gives at its end passes through those behind it first.
    fn flush(&mut self, ended: Ended, exchange: &mut Exchange, out: &mut BytesMut) -> Result<(), Denial> {
        let mut frames: Vec<Frame> = Vec::new();
        for (name, transform) in &mut self.transforms {
            let mut next = Vec::new();
            let ran = catch_unwind(AssertUnwindSafe(|| {
                for frame in frames {
                    transform.on_frame(frame, exchange, &mut next);
                }
                transform.on_finish(ended, exchange, &mut next);
            }));
            if ran.is_err() {
                exchange.report.panicked = Some(*name);
                return Err(self.fail(Denial::Internal));
            }
            frames = next;
        }
        encode(frames, out);
        self.refused(exchange)
    }

    fn fail(&mut self, denial: Denial) -> Denial {
        self.failed = true;
        denial
    }
}

fn encode(frames: Vec<Frame>, out: &mut BytesMut) {
    for frame in frames {
        frame.encode(out);
    }
}

/// Makes a whole reply from its parts, for [`ReplyPlan::decide`].
pub fn whole(status: StatusCode, headers: HeaderMap, body: Bytes, limits: JsonLimits) -> WholeResponse {
    WholeResponse { status, headers, body: Payload::new(body, limits) }
}
