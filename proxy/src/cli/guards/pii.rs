//! What `raptorgate guards test` says of the detector of personal data.

use raptorgate_guards::labelled::pii::{Score, type_names};
use raptorgate_guards::labelled::{Counts, ratio};
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn table(score: &Score) -> String {
    let total = score.total();
    let gold = |counts: Counts| counts.right + counts.missed;
    let mut text =
        format!("{:<20} {:>7} {:>7} {:>7} {:>7} {:>9} {:>7}\n", "type", "values", "P", "R", "F1", "exact F1", "leaked");
    let named = type_names().filter_map(|name| Some((name, score.types.get(name)?)));
    for (name, one) in named.chain([("all", &total)]) {
        // writing to a string cannot fail
        let _ = writeln!(
            text,
            "{name:<20} {:>7} {:>7.4} {:>7.4} {:>7.4} {:>9.4} {:>7}",
            gold(one.overlap),
            one.overlap.precision(),
            one.overlap.recall(),
            one.overlap.f1(),
            one.exact.f1(),
            one.leaked
        );
    }
    let _ = write!(
        text,
        "macro F1 {:.4}; leaked {:.4}; harmless lines hit: {} of {}",
        score.macro_f1(),
        ratio_or_zero(total.leaked, gold(total.overlap)),
        score.harmless_hit,
        score.harmless
    );
    text
}

fn ratio_or_zero(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { ratio(part, whole) }
}

pub(super) fn as_json(score: &Score) -> Value {
    let counts =
        |counts: Counts| json!({"precision": counts.precision(), "recall": counts.recall(), "f1": counts.f1()});
    let total = score.total();
    let types: serde_json::Map<String, Value> = score
        .types
        .iter()
        .map(|(name, one)| {
            let value = json!({"values": one.overlap.right + one.overlap.missed, "overlap": counts(one.overlap),
                               "exact": counts(one.exact), "leaked": one.leaked});
            (name.clone(), value)
        })
        .collect();
    json!({
        "lines": score.lines, "overlap": counts(total.overlap), "exact": counts(total.exact), "macro_f1": score.macro_f1(),
        "leaked": ratio_or_zero(total.leaked, total.overlap.right + total.overlap.missed),
        "harmless": score.harmless, "harmless_hit": score.harmless_hit, "types": types,
    })
}
