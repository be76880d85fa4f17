//! What is looked for, and what is done with it: compiled once from a configuration, shared by all texts of a route.
//!
//! # Invariants
//! * A pattern of one's own never needs more than [`LOOK_BYTES_MAX`] bytes, so that streams stay bounded
//!   (`own_patterns_without_bound_are_refused`).

use super::fold::LOOK_BYTES_MAX;
use raptorgate_config::model::{PiiAction, PiiType};
use std::sync::Arc;

/// Most bytes that a pattern may match …
const PATTERN_BYTES_MAX: usize = raptorgate_config::model::OwnPattern::BYTES_MAX;
/// … which leaves room for a character on each side.
const _: () = assert!(PATTERN_BYTES_MAX + 8 <= LOOK_BYTES_MAX);

const KINDS: usize = PiiType::ALL.len();

/// Certainty in percent from which on a value counts, unless a type says otherwise.
pub const THRESHOLD_PERCENT: u8 = 50;

/// What is done with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// All but the last characters become `X`. Addresses and secrets are always replaced whole.
    Mask {
        /// Characters left readable.
        keep_last: usize,
    },
    /// The type's name instead: `[AADHAAR]`.
    Replace,
    /// As [`Action::Replace`], and the text asks for a refusal.
    Block,
    /// Counted and left as it is.
    Report,
}

impl From<PiiAction> for Action {
    fn from(action: PiiAction) -> Self {
        match action {
            PiiAction::Mask { keep_last } => Self::Mask { keep_last },
            // the filter, which knows whose request it is, puts hashes and tokens in their place
            PiiAction::Replace | PiiAction::Hash | PiiAction::Tokenize => Self::Replace,
            PiiAction::Block => Self::Block,
            PiiAction::Report => Self::Report,
        }
    }
}

/// One type that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which type.
    pub kind: PiiType,
    /// What is done with it.
    pub action: Action,
    /// Least certainty in percent.
    pub threshold: u8,
}

/// A pattern of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPattern {
    /// What stands in its place, in brackets and capital letters: `employee` gives `[EMPLOYEE]`.
    pub name: String,
    /// A regular expression that matches a bounded number of bytes.
    pub pattern: String,
    /// What is done with it.
    pub action: Action,
}

/// All that a detector can be told.
#[derive(Clone, Debug, Default)]
pub struct DetectorConfig {
    /// Types that are looked for; of two entries for one type the last one holds.
    pub kinds: Vec<Wanted>,
    /// Values that are never touched: a whole value (case makes no difference), or `@example.com` for all addresses there.
    pub allow: Vec<String>,
    /// Patterns of one's own.
    pub own: Vec<OwnPattern>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Not a regular expression, or too large a one.
    #[error("the pattern `{name}` is no regular expression")]
    Pattern {
        /// Of the pattern.
        name: String,
        /// What is wrong.
        #[source]
        source: Box<regex::Error>,
    },
    /// It can match more than can be held back.
    #[error(
        "the pattern `{name}` can match more than {PATTERN_BYTES_MAX} bytes; bound its repetitions, such as `{{1,40}}`"
    )]
    Unbounded {
        /// Of the pattern.
        name: String,
    },
    /// It matches the empty text.
    #[error("the pattern `{name}` matches nothing at all")]
    Empty {
        /// Of the pattern.
        name: String,
    },
}

#[derive(Debug)]
pub(super) struct Own {
    pub name: String,
    pub regex: regex::Regex,
    pub action: Action,
}

#[derive(Debug, Default)]
struct Compiled {
    actions: [Option<Action>; KINDS],
    thresholds: [u8; KINDS],
    allow: Vec<String>,
    own: Vec<Own>,
}

/// Which types are looked for and what is done with them.
#[derive(Clone, Debug, Default)]
pub struct Rules(Arc<Compiled>);

impl Rules {
    /// Of two actions for one type the last one holds.
    pub fn new(actions: &[(PiiType, PiiAction)]) -> Self {
        Self::from_kinds(actions.iter().map(|(kind, action)| Wanted {
            kind: *kind,
            action: (*action).into(),
            threshold: THRESHOLD_PERCENT,
        }))
    }

    /// Every type with one action.
    pub fn all(action: Action) -> Self {
        Self::from_kinds(PiiType::ALL.iter().map(|kind| Wanted { kind: *kind, action, threshold: THRESHOLD_PERCENT }))
    }

    fn from_kinds(kinds: impl IntoIterator<Item = Wanted>) -> Self {
        Self(Arc::new(compiled(kinds)))
    }

    /// Compiles patterns and lists.
    pub fn compile(config: &DetectorConfig) -> Result<Self, RulesError> {
        let mut rules = compiled(config.kinds.iter().copied());
        rules.allow = config.allow.iter().map(|value| value.to_lowercase()).collect();
        rules.own = config.own.iter().map(own).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(rules)))
    }

    /// True if nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.0.actions.iter().all(Option::is_none) && self.0.own.is_empty()
    }

    /// What is done with a type; `None`: it is not looked for.
    pub fn action(&self, kind: PiiType) -> Option<Action> {
        self.0.actions.get(kind as usize).copied().flatten()
    }

    pub(super) fn wants(&self, kind: PiiType) -> bool {
        self.action(kind).is_some()
    }

    /// True if a value of this type and certainty counts.
    pub(super) fn accepts(&self, kind: PiiType, certain: u8) -> bool {
        self.wants(kind) && self.0.thresholds.get(kind as usize).is_some_and(|least| certain >= *least)
    }

    pub(super) fn allows(&self, value: &str) -> bool {
        if self.0.allow.is_empty() {
            return false;
        }
        let value = value.to_lowercase();
        self.0.allow.iter().any(|allowed| *allowed == value || (allowed.starts_with('@') && value.ends_with(allowed)))
    }

    pub(super) fn own(&self) -> &[Own] {
        &self.0.own
    }
}

fn compiled(kinds: impl IntoIterator<Item = Wanted>) -> Compiled {
    let mut rules = Compiled { thresholds: [THRESHOLD_PERCENT; KINDS], ..Compiled::default() };
    for wanted in kinds {
        let place = wanted.kind as usize;
        if let (Some(action), Some(threshold)) = (rules.actions.get_mut(place), rules.thresholds.get_mut(place)) {
            (*action, *threshold) = (Some(wanted.action), wanted.threshold);
        }
    }
    rules
}

fn own(pattern: &OwnPattern) -> Result<Own, RulesError> {
    let name = pattern.name.clone();
    let wrong = |source| RulesError::Pattern { name: pattern.name.clone(), source: Box::new(source) };
    let regex = regex::RegexBuilder::new(&pattern.pattern).size_limit(1 << 20).build().map_err(wrong)?;
    let Some((least, most)) = lengths(&pattern.pattern) else { return Err(RulesError::Unbounded { name }) };
    if least == 0 {
        return Err(RulesError::Empty { name });
    }
    if most > PATTERN_BYTES_MAX {
        return Err(RulesError::Unbounded { name });
    }
    Ok(Own { name: name.to_uppercase(), regex, action: pattern.action })
}

/// Fewest and most bytes that a pattern matches; `None` if there is no bound.
fn lengths(pattern: &str) -> Option<(usize, usize)> {
    let parsed = regex_syntax::parse(pattern).ok()?;
    let properties = parsed.properties();
    Some((properties.minimum_len()?, properties.maximum_len()?))
}
