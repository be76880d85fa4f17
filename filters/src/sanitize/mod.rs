//! `sanitize`: attempts to talk a model out of its instructions are found in what users, tools and documents say, and cut out,
//! refused, defanged, told to the upstream or counted.
//!
//! Three patterns are known by heart ([`phrases`]); everything else is the detector's ([`raptorgate_guards::injection`]).
//!
//! # Invariants
//! * The operator's system prompt and the model's own turns are left alone (`only_texts_of_others_are_judged`).
//! * What is left holds no finding, also none that the cuts made (`sanitizing_twice_is_sanitizing_once`,
//!   `what_is_left_of_a_stripped_text_is_left_alone`).
//! * A body that cannot be read is refused, never passed unread (`an_unreadable_body_is_refused`).
//! * In the shadow nothing is changed or refused (`in_the_shadow_nothing_is_changed`).

mod phrases;

use crate::exchange::Exchange;
use crate::filter::{BodyKind, Decision, Filter, FilterName, Phases, RequestHead};
use crate::form::{self, NotUtf8};
use crate::frame::Frame;
use crate::framers::json::{JsonDoc, JsonLimits};
use crate::payload::Payload;
use crate::read_body::{QUERY_NOT_UTF8, body_kind, check_coding, check_shape, is_form, json_denial, json_lines};
use crate::texts::{self, Source};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use phrases::{Cleaned, clean};
use raptorgate_config::model::{self, ApiFormat, Judged, SanitizeAction};
use raptorgate_guards::injection::{self, Detector, DetectorError, Finding, Options, SourceOfText};
use raptorgate_policies::Denial;
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Name of the header that tells the upstream of a finding.
const INJECTION: HeaderName = HeaderName::from_static("x-raptorgate-injection");

/// What findings are counted as that nothing is done with.
const SHADOW: &str = "shadow";

/// Rounds of cutting by what is known by heart and by the detector; what needs more is refused.
const ROUNDS_MAX: usize = 4;

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
    /// Findings, by what is done with them.
    found: BTreeMap<&'static str, u32>,
    /// The highest score of a text that counts as an attack.
    worst: Option<f32>,
    /// The highest of those that the upstream is told of, and why.
    told: Option<(f32, Vec<&'static str>)>,
    mark: Option<String>,
    changed: bool,
}

impl<'f> Pass<'f> {
    fn new(filter: &'f Sanitize, format: ApiFormat) -> Self {
        Self { filter, format, found: BTreeMap::new(), worst: None, told: None, mark: None, changed: false }
    }

    /// The text as it goes on; `None`: as it came.
    fn text(&mut self, text: &str, source: Source) -> Result<Option<String>, Denial> {
        let (judge, written_by) = match source {
            Source::System | Source::Assistant => return Ok(None),
            Source::User => (&self.filter.user, SourceOfText::User),
            Source::Tool | Source::Document => (&self.filter.tools, SourceOfText::ToolOrDocument),
        };
        if judge.action == SanitizeAction::Strip && !self.filter.shadow {
            return self.strip(judge, text, written_by);
        }
        let is_found = self.look(judge, text, written_by);
        match judge.action {
            _ if self.filter.shadow || !is_found => Ok(None),
            SanitizeAction::Block => Err(Denial::PromptBlocked),
            SanitizeAction::Neutralise => {
                let mark = match self.mark.take() {
                    Some(mark) => mark,
                    None => mark()?,
                };
                Ok(Some(judge.detector.neutralise(text, self.mark.insert(mark))))
            }
            SanitizeAction::Strip | SanitizeAction::Flag | SanitizeAction::Report => Ok(None),
        }
    }

    /// True if something is found.
    fn look(&mut self, judge: &Judge, text: &str, source: SourceOfText) -> bool {
        let known = match clean(text) {
            Cleaned::Clean => 0,
            Cleaned::Cut { cuts, .. } | Cleaned::Endless { cuts } => cuts,
        };
        let verdict = judge.detector.score(text, source);
        let count = known.max(u32::from(verdict.flagged));
        if count > 0 {
            // what is known by heart is certain, whatever the detector thinks of it
            let score = if verdict.flagged { verdict.score } else { 1.0 };
            self.note(judge, count, score, &verdict.findings);
        }
        count > 0
    }

    fn note(&mut self, judge: &Judge, count: u32, score: f32, findings: &[Finding]) {
        let done = if self.filter.shadow { SHADOW } else { judge.action.name() };
        let total = self.found.entry(done).or_default();
        *total = total.saturating_add(count);
        self.worst = Some(self.worst.map_or(score, |worst| worst.max(score)));
        let tells = judge.action == SanitizeAction::Flag && !self.filter.shadow;
        if tells && self.told.as_ref().is_none_or(|(worst, _)| score > *worst) {
            let reasons: BTreeSet<&str> = findings.iter().map(|finding| finding.reason.name()).collect();
            self.told = Some((score, reasons.into_iter().collect()));
        }
    }

    /// What is known by heart and what the detector finds, in turn, until neither finds anything: a cut of the one can join the halves
    /// of what the other knows.
    fn strip(&mut self, judge: &Judge, text: &str, source: SourceOfText) -> Result<Option<String>, Denial> {
        let mut left: Option<String> = None;
        for _ in 0..ROUNDS_MAX {
            match clean(left.as_deref().unwrap_or(text)) {
                Cleaned::Clean => {}
                Cleaned::Cut { text, cuts } => {
                    self.note(judge, cuts, 1.0, &[]);
                    left = Some(text);
                }
                Cleaned::Endless { cuts } => {
                    self.note(judge, cuts, 1.0, &[]);
                    return Err(Denial::PromptBlocked);
                }
            }
            match judge.detector.strip(left.as_deref().unwrap_or(text), source) {
                injection::Cleaned::Clean => return Ok(left),
                injection::Cleaned::Cut { text, score, findings, cuts } => {
                    self.note(judge, cuts, score, &findings);
                    left = Some(text);
                }
                injection::Cleaned::GivenUp { score, findings } => {
                    self.note(judge, 1, score, &findings);
                    return Err(Denial::PromptBlocked);
                }
            }
        }
        Err(Denial::PromptBlocked)
    }

    fn doc(&mut self, doc: &mut JsonDoc) -> Result<(), Denial> {
        for place in texts::places(doc, self.format) {
            let judged = doc.str(place.node).map(|text| self.text(&text, place.source)).transpose()?;
            let Some(cleaned) = judged.flatten() else { continue };
            self.changed = true;
            doc.replace_str(place.node, &cleaned);
        }
        Ok(())
    }

    fn lines(&mut self, bytes: &Bytes, limits: JsonLimits) -> Result<Option<Bytes>, Denial> {
        let mut out = BytesMut::with_capacity(bytes.len());
        for mut frame in json_lines(bytes, limits)? {
            if let Frame::JsonLine(line) = &mut frame
                && let Some(doc) = &mut line.json
            {
                self.doc(doc)?;
            }
            frame.encode(&mut out);
        }
        Ok(self.changed.then(|| out.freeze()))
    }

    /// A form or a query.
    fn form(&mut self, form: &str) -> Result<Option<String>, FormDenial> {
        form::rewritten(form, |_, value| self.text(value, Source::User).map_err(FormDenial::Denied))
    }

    fn query(&mut self, query: &str) -> Result<Option<String>, Denial> {
        self.form(query).map_err(|error| error.or(QUERY_NOT_UTF8))
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
            BodyKind::Other if is_form(headers) => {
                let form = self.form(&utf8(body.original())?).map_err(|error| error.or(Denial::BodyNotUtf8))?;
                form.map(Bytes::from)
            }
            BodyKind::None | BodyKind::Sse | BodyKind::Other => return Err(Denial::UnsupportedContentType),
        };
        replaced.into_iter().for_each(|bytes| body.replace(bytes));
        Ok(())
    }
}

/// Why a form or query does not go on.
enum FormDenial {
    NotUtf8,
    Denied(Denial),
}

impl From<NotUtf8> for FormDenial {
    fn from(_: NotUtf8) -> Self {
        Self::NotUtf8
    }
}

impl FormDenial {
    fn or(self, not_utf8: Denial) -> Denial {
        match self {
            Self::NotUtf8 => not_utf8,
            Self::Denied(denial) => denial,
        }
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
        let cleaned = check_shape(head.headers, exchange.format, body)
            .and_then(|()| pass.body(head.headers, body))
            .and_then(|()| exchange.query_of(head).map_or(Ok(None), |query| pass.query(query)));
        exchange.report.sanitized = pass.found;
        exchange.report.injection_percent = pass.worst.map(percent);
        if let Some((score, reasons)) = pass.told {
            let told = HeaderValue::from_str(&format!("{}; {}", percent(score), reasons.join(", ")));
            told.into_iter().for_each(|told| exchange.upstream_headers.set(INJECTION, told));
        }
        match cleaned {
            Err(denial) => return Decision::Deny(denial),
            Ok(None) => {}
            Ok(query) => exchange.query = query,
        }
        Decision::Continue
    }
}
