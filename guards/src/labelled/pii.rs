//! Personal data: labelled spans beside those that were found.
//!
//! A span is found if one of the same type covers at least half of it and is covered by half at least; it is exact if both are
//! the same; and it has leaked if less than nine tenths of its characters are covered by spans of any type.
//!
//! # Invariants
//! * Spans that are neither right nor wrong count for nothing, and types out of a line's scope neither
//!   (`optional_spans_and_types_out_of_scope_count_for_nothing`).

use super::Counts;
use crate::pii::{Kind, Rules, find, label, to_code_points};
use raptorgate_config::model::PiiType;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A span in Unicode code points; its end is the first one behind it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Span {
    /// Type, as [`label`] names it.
    #[serde(rename = "type")]
    pub kind: String,
    /// First code point.
    pub start: usize,
    /// First one behind.
    pub end: usize,
}

/// A stretch of a text of which nobody says what it is; a type beside it is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Stretch {
    /// First code point.
    pub start: usize,
    /// First one behind.
    pub end: usize,
}

/// One labelled line.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    /// The text.
    pub text: String,
    /// What stands in it.
    pub entities: Vec<Span>,
    /// Only these types are judged.
    #[serde(default)]
    pub scope: Option<Vec<String>>,
    /// Spans that are neither right nor wrong.
    #[serde(default)]
    pub optional: Vec<Stretch>,
}

/// What came of a set.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// Lines that were read.
    pub lines: u64,
    /// By type.
    pub types: BTreeMap<String, TypeScore>,
    /// Lines without any value.
    pub harmless: u64,
    /// Those of them in which something was found.
    pub harmless_hit: u64,
}

/// What came of one type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypeScore {
    /// By overlap.
    pub overlap: Counts,
    /// By equality.
    pub exact: Counts,
    /// Labelled values of which a part was left.
    pub leaked: u64,
}

impl Score {
    /// Judges one more line.
    pub fn add(&mut self, line: &Line, rules: &Rules) {
        let judged = |kind: &str| line.scope.as_ref().is_none_or(|scope| scope.iter().any(|s| s == kind));
        let found: Vec<Span> = to_code_points(&line.text, &find(&line.text, rules))
            .iter()
            .filter_map(|entity| match entity.kind {
                Kind::Type(kind) => Some(Span { kind: label(kind).to_owned(), start: entity.start, end: entity.end }),
                Kind::Own(_) => None,
            })
            .filter(|span| judged(&span.kind))
            .collect();
        let gold: Vec<&Span> = line.entities.iter().filter(|span| judged(&span.kind)).collect();
        self.lines += 1;
        self.match_spans(&gold, &found, &line.optional, |a, b| a.kind == b.kind && overlaps(a, b), |s| &mut s.overlap);
        self.match_spans(&gold, &found, &line.optional, |a, b| a == b, |s| &mut s.exact);
        for span in gold {
            if covered(span, &found) * 10 < (span.end - span.start.min(span.end)) * 9 {
                self.types.entry(span.kind.clone()).or_default().leaked += 1;
            }
        }
        if line.entities.is_empty() {
            self.harmless += 1;
            let hit = found.iter().any(|span| !line.optional.iter().any(|other| meets(span, other)));
            self.harmless_hit += u64::from(hit);
        }
    }

    fn match_spans(
        &mut self,
        gold: &[&Span],
        found: &[Span],
        optional: &[Stretch],
        same: impl Fn(&Span, &Span) -> bool,
        of: impl Fn(&mut TypeScore) -> &mut Counts,
    ) {
        let mut used = vec![false; found.len()];
        for span in gold {
            let hit = found.iter().zip(&mut used).find(|(other, used)| !**used && same(span, other));
            let counts = of(self.types.entry(span.kind.clone()).or_default());
            match hit {
                Some((_, used)) => {
                    *used = true;
                    counts.right += 1;
                }
                None => counts.missed += 1,
            }
        }
        for (span, _) in found.iter().zip(used).filter(|(_, used)| !used) {
            if !optional.iter().any(|other| meets(span, other)) {
                of(self.types.entry(span.kind.clone()).or_default()).wrong += 1;
            }
        }
    }

    /// All types together.
    pub fn total(&self) -> TypeScore {
        let mut total = TypeScore::default();
        for score in self.types.values() {
            for (sum, one) in [(&mut total.overlap, score.overlap), (&mut total.exact, score.exact)] {
                sum.right += one.right;
                sum.wrong += one.wrong;
                sum.missed += one.missed;
            }
            total.leaked += score.leaked;
        }
        total
    }

    /// The mean of the types' F1, of those that are there.
    pub fn macro_f1(&self) -> f64 {
        let there = self.types.values().filter(|score| score.overlap.right + score.overlap.missed > 0);
        let (sum, count) = there.fold((0.0, 0.0), |(sum, count), score| (sum + score.overlap.f1(), count + 1.0));
        if count > 0.0 { sum / count } else { 1.0 }
    }
}

/// Names of all types.
pub fn type_names() -> impl Iterator<Item = &'static str> {
    PiiType::ALL.into_iter().map(label)
}

fn common(a: &Span, b: &Span) -> usize {
    a.end.min(b.end).saturating_sub(a.start.max(b.start))
}

fn meets(a: &Span, b: &Stretch) -> bool {
    a.start.max(b.start) < a.end.min(b.end)
}

fn overlaps(a: &Span, b: &Span) -> bool {
    let common = common(a, b) * 2;
    common > 0 && common >= a.end.saturating_sub(a.start) && common >= b.end.saturating_sub(b.start)
}

/// Code points of a span that others cover; those do not overlap each other.
fn covered(span: &Span, found: &[Span]) -> usize {
    found.iter().map(|other| common(span, other)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pii::Action;

    fn judge(json: &str) -> Score {
        let mut score = Score::default();
        score.add(&serde_json::from_str(json).unwrap(), &Rules::all(Action::Replace));
        score
    }

    #[test]
    fn a_span_is_found_exact_or_leaked() {
        let whole = judge(r#"{"text":"mail a.b@x.in now","entities":[{"type":"EMAIL","start":5,"end":13}]}"#);
        let email = whole.types["EMAIL"];
        assert_eq!((email.overlap.right, email.exact.right, email.leaked), (1, 1, 0));
        let part = judge(r#"{"text":"mail a.b@x.in now","entities":[{"type":"EMAIL","start":0,"end":13}]}"#);
        let email = part.types["EMAIL"];
        assert_eq!((email.overlap.right, email.exact.right, email.leaked), (1, 0, 1));
        let missed = judge(r#"{"text":"mail nobody now","entities":[{"type":"EMAIL","start":5,"end":11}]}"#);
        assert_eq!((missed.types["EMAIL"].overlap.missed, missed.total().leaked), (1, 1));
        let other = judge(r#"{"text":"mail a.b@x.in now","entities":[{"type":"IN_UPI","start":5,"end":13}]}"#);
        assert_eq!((other.types["IN_UPI"].leaked, other.types["EMAIL"].overlap.wrong), (0, 1));
    }

    #[test]
    fn optional_spans_and_types_out_of_scope_count_for_nothing() {
        let text = r#""text":"mail a.b@x.in now""#;
        let optional = judge(&format!(r#"{{{text},"entities":[],"optional":[{{"start":5,"end":13}}]}}"#));
        assert_eq!((optional.total(), optional.harmless, optional.harmless_hit), (TypeScore::default(), 1, 0));
        let scoped = judge(&format!(r#"{{{text},"entities":[],"scope":["PHONE"]}}"#));
        assert_eq!((scoped.total(), scoped.harmless_hit), (TypeScore::default(), 0));
        assert_eq!(judge(&format!(r#"{{{text},"entities":[]}}"#)).harmless_hit, 1);
    }
}
