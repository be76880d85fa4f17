//! `sanitize`: attempts to talk a model out of its instructions are found in what users, tools and documents say, and cut out,
//! refused, defanged, told to the upstream or counted.
//!
//! Three patterns are known by heart ([`phrases`]); everything else is the detector's ([`raptorgate_guards::injection`]).
//!
//! # Invariants
//! * The operator's system prompt and the model's own turns are left alone (`only_texts_of_others_are_judged`).
//! * What is left holds no finding, also none that the cuts made (`sanitizing_twice_is_sanitizing_once`).
//! * A body that cannot be read is refused, never passed unread (`an_unreadable_body_is_refused`).
//! * In the shadow nothing is changed or refused (`in_the_shadow_nothing_is_changed`).

mod phrases;

use crate::exchange::Exchange;
use crate::filter::{BodyKind, Decision, Filter, FilterName, Phases, RequestHead};
use crate::frame::Frame;
use crate::framers::json::{JsonDoc, JsonLimits};
use crate::framers::json_lines::JsonLinesFramer;
use crate::mask_pii::frame_denial;
use crate::mask_pii::whole::{percent_decoded, percent_encode};
use crate::payload::Payload;
use crate::read_body::{body_kind, check_coding, check_shape, is_form, json_denial};
use crate::texts::{self, Source};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use phrases::{Cleaned, clean};
use raptorgate_config::model::{self, ApiFormat, Judged, SanitizeAction};
use raptorgate_guards::injection::{self, Detector, DetectorError, Finding, Options, SourceOfText};
use raptorgate_policies::Denial;
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::LazyLock;

/// Name of the header that tells the upstream of a finding.
const INJECTION: HeaderName = HeaderName::from_static("x-raptorgate-injection");

/// Bytes of the word that nobody can guess.
const MARK_BYTES: usize = 8;

/// Word lists and weights are the same for all routes.
static DETECTOR: LazyLock<Result<Detector, DetectorError>> = LazyLock::new(|| Detector::new(&Options::default()));

/// The filter of one route.
#[derive(Debug)]
pub struct Sanitize {
    user: Judge,
    tools: Judge,
    shadow: bool,
}

/// How texts of one source are judged.
#[derive(Debug)]
struct Judge {
    action: SanitizeAction,
    detector: Detector,
}

impl Sanitize {
    /// Takes a route's block.
    ///
    /// # Errors
    /// Only if the program's own word lists do not fit it.
    pub fn new(config: &model::Sanitize) -> Result<Self, &'static DetectorError> {
        let judge = |judged: Judged| {
            let detector = DETECTOR.as_ref()?.at(f32::from(judged.threshold_percent) / 100.0);
            Ok(Judge { action: judged.action, detector })
        };
        Ok(Self { user: judge(config.user)?, tools: judge(config.tools)?, shadow: config.shadow })
    }
}

/// One pass over one request.
struct Pass<'f> {
    filter: &'f Sanitize,
    format: ApiFormat,
    found: u32,
    /// The highest score of a text that was flagged, and why.
    worst: Option<(f32, Vec<&'static str>)>,
    mark: Option<String>,
}

impl<'f> Pass<'f> {
    fn new(filter: &'f Sanitize, format: ApiFormat) -> Self {
        Self { filter, format, found: 0, worst: None, mark: None }
    }

    /// The text as it goes on; `None`: as it came.
    fn text(&mut self, text: &str, source: Source) -> Result<Option<String>, Denial> {
        let (judge, written_by) = match source {
            Source::System | Source::Assistant => return Ok(None),
            Source::User => (&self.filter.user, SourceOfText::User),
            Source::Tool | Source::Document => (&self.filter.tools, SourceOfText::ToolOrDocument),
        };
        match judge.action {
            _ if self.filter.shadow => self.look(judge, text, written_by).map(|_| None),
            SanitizeAction::Strip => self.strip(judge, text, written_by),
            SanitizeAction::Block if self.look(judge, text, written_by)? => Err(Denial::PromptBlocked),
            SanitizeAction::Neutralise if self.look(judge, text, written_by)? => {
                let mark = match self.mark.take() {
                    Some(mark) => mark,
                    None => mark()?,
                };
                Ok(Some(judge.detector.neutralise(text, self.mark.insert(mark))))
            }
            SanitizeAction::Flag | SanitizeAction::Report => self.look(judge, text, written_by).map(|_| None),
            SanitizeAction::Block | SanitizeAction::Neutralise => Ok(None),
        }
    }

    /// True if something is found.
    fn look(&mut self, judge: &Judge, text: &str, source: SourceOfText) -> Result<bool, Denial> {
        let known = match clean(text) {
            Cleaned::Clean => 0,
            Cleaned::Cut { cuts, .. } | Cleaned::Endless { cuts } => cuts,
        };
        let verdict = judge.detector.score(text, source);
        if verdict.flagged {
            self.note(verdict.score, &verdict.findings);
        } else if known > 0 {
            self.note(1.0, &[]);
        }
        self.found = self.found.saturating_add(known.max(u32::from(verdict.flagged)));
        Ok(known > 0 || verdict.flagged)
    }

    fn note(&mut self, score: f32, findings: &[Finding]) {
        if self.worst.as_ref().is_none_or(|(worst, _)| score > *worst) {
            let mut reasons: Vec<&str> = findings.iter().map(|finding| finding.reason.name()).collect();
            reasons.sort_unstable();
            reasons.dedup();
            self.worst = Some((score, reasons));
        }
    }

    /// First what is known by heart, then what the detector finds in the rest: each until nothing is left.
    fn strip(&mut self, judge: &Judge, text: &str, source: SourceOfText) -> Result<Option<String>, Denial> {
        let known = match clean(text) {
            Cleaned::Clean => None,
            Cleaned::Cut { text, cuts } => {
                self.found = self.found.saturating_add(cuts);
                Some(text)
            }
            Cleaned::Endless { cuts } => {
                self.found = self.found.saturating_add(cuts);
                return Err(Denial::PromptBlocked);
            }
        };
        match judge.detector.strip(known.as_deref().unwrap_or(text), source) {
            injection::Cleaned::Clean => Ok(known),
            injection::Cleaned::Cut { text, findings, cuts } => {
                self.note(1.0, &findings);
                self.found = self.found.saturating_add(cuts);
                // a cut can join the halves of what is known by heart
                match clean(&text) {
                    Cleaned::Clean => Ok(Some(text)),
                    Cleaned::Cut { text, .. } => Ok(Some(text)),
                    Cleaned::Endless { .. } => Err(Denial::PromptBlocked),
                }
            }
            injection::Cleaned::GivenUp { findings } => {
                self.note(1.0, &findings);
                self.found = self.found.saturating_add(1);
                Err(Denial::PromptBlocked)
            }
        }
    }

    fn doc(&mut self, doc: &mut JsonDoc) -> Result<(), Denial> {
        for place in texts::places(doc, self.format) {
            let judged = doc.str(place.node).map(|text| self.text(&text, place.source)).transpose()?;
            let Some(cleaned) = judged.flatten() else { continue };
            doc.replace_str(place.node, &cleaned);
        }
        Ok(())
    }

    fn lines(&mut self, bytes: &Bytes, limits: JsonLimits) -> Result<Option<Bytes>, Denial> {
        let mut framer = JsonLinesFramer::new(limits);
        let mut frames = Vec::new();
        framer.push(bytes, &mut frames).map_err(|e| frame_denial(&e))?;
        framer.finish(&mut frames).map_err(|e| frame_denial(&e))?;
        let before = self.found;
        let mut out = BytesMut::with_capacity(bytes.len());
        for mut frame in frames {
            if let Frame::JsonLine(line) = &mut frame
                && let Some(doc) = &mut line.json
            {
                self.doc(doc)?;
            }
            frame.encode(&mut out);
        }
        Ok((self.found != before).then(|| out.freeze()))
    }

    fn form(&mut self, form: &str) -> Result<Option<Bytes>, Denial> {
        let mut out = String::with_capacity(form.len());
        let before = self.found;
        for (i, pair) in form.split('&').enumerate() {
            if i > 0 {
                out.push('&');
            }
            let (key, value) = pair.split_once('=').map_or(("", pair), |(k, v)| (k, v));
            let decoded = percent_decoded(value);
            let text = std::str::from_utf8(&decoded).map_err(|_| Denial::BodyNotUtf8)?;
            if pair.len() > value.len() {
                out.push_str(key);
                out.push('=');
            }
            match self.text(text, Source::User)? {
                None => out.push_str(value),
                Some(cleaned) => percent_encode(&cleaned, &mut out),
            }
        }
        Ok((self.found != before).then(|| Bytes::from(out)))
    }

    fn body(&mut self, headers: &HeaderMap, body: &mut Payload) -> Result<(), Denial> {
        if body.original().is_empty() {
            return Ok(());
        }
        check_coding(headers)?;
        let utf8 = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).map_err(|_| Denial::BodyNotUtf8);
        let replaced = match body_kind(headers) {
            BodyKind::Json => {
                self.doc(body.json().map_err(|e| json_denial(&e))?)?;
                None
            }
            BodyKind::JsonLines => self.lines(body.original(), body.limits())?,
            BodyKind::Text => self.text(&utf8(body.original())?, Source::User)?.map(Bytes::from),
            BodyKind::Other if is_form(headers) => self.form(&utf8(body.original())?)?,
            BodyKind::None | BodyKind::Sse | BodyKind::Other => return Err(Denial::UnsupportedContentType),
        };
        replaced.into_iter().for_each(|bytes| body.replace(bytes));
        Ok(())
    }
}

impl Sanitize {
    fn flags(&self) -> bool {
        self.user.action == SanitizeAction::Flag || self.tools.action == SanitizeAction::Flag
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a score is 0 to 1")]
fn percent(score: f32) -> u8 {
    (score.clamp(0.0, 1.0) * 100.0).round() as u8
}

/// A word that nobody can guess; fails only if the system has no randomness.
fn mark() -> Result<String, Denial> {
    let mut bytes = [0_u8; MARK_BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Denial::Internal)?;
    Ok(bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(b'a' + half)).collect())
}

#[async_trait]
impl Filter for Sanitize {
    fn name(&self) -> FilterName {
        FilterName::Sanitize
    }

    fn phases(&self) -> Phases {
        Phases { request_body: true, ..Phases::default() }
    }

    async fn on_request_body(&self, head: &RequestHead<'_>, body: &mut Payload, exchange: &mut Exchange) -> Decision {
        let mut pass = Pass::new(self, exchange.format);
        let cleaned = check_shape(head.headers, exchange.format, body).and_then(|()| pass.body(head.headers, body));
        exchange.report.sanitized = exchange.report.sanitized.saturating_add(pass.found);
        exchange.report.sanitize_action = Some(if self.shadow { "shadow" } else { self.user.action.name() });
        if let Some((score, reasons)) = &pass.worst {
            exchange.report.injection_percent = Some(percent(*score));
            if self.flags() && !self.shadow {
                let told = format!("{}; {}", percent(*score), reasons.join(", "));
                HeaderValue::from_str(&told)
                    .into_iter()
                    .for_each(|told| exchange.upstream_headers.set(INJECTION, told));
            }
        }
        cleaned.map_or_else(Decision::Deny, |()| Decision::Continue)
    }
}
