//! What `raptorgate guards test` says of the injection detector.

use raptorgate_guards::labelled::injection::{Flagged, Score};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) fn table(score: &Score) -> String {
    let (attacks, harmless) = score.lines();
    let counts = score.counts;
    let mut text = format!("{:<32} {:>7} {:>8} {:>8}\n", "kind", "lines", "flagged", "share");
    for (what, kinds) in ["attack", "harmless"].iter().zip(&score.kinds) {
        for (name, Flagged { lines, flagged }) in kinds {
            let share = *flagged as f64 / *lines as f64;
            // writing to a string cannot fail
            let _ = writeln!(text, "{:<32} {lines:>7} {flagged:>8} {share:>8.4}", format!("{what} {name}"));
        }
    }
    let _ = write!(
        text,
        "attacks {attacks}, harmless {harmless}: P {:.4}, R {:.4}, F1 {:.4}, false alarms {:.4}\nAUC {:.4}; recall at 1 % of false alarms {:.4}, at 5 % {:.4}",
        counts.precision(),
        counts.recall(),
        counts.f1(),
        score.false_alarms(),
        score.area(),
        score.recall_at(10),
        score.recall_at(50)
    );
    text
}

pub(super) fn as_json(score: &Score) -> Value {
    let kinds = |kinds: &BTreeMap<String, Flagged>| -> Map<String, Value> {
        kinds.iter().map(|(name, one)| (name.clone(), json!({"lines": one.lines, "flagged": one.flagged}))).collect()
    };
    let ((attacks, harmless), counts, [attack_kinds, harmless_kinds]) = (score.lines(), score.counts, &score.kinds);
    json!({
        "attacks": attacks, "harmless": harmless, "precision": counts.precision(), "recall": counts.recall(), "f1": counts.f1(),
        "false_alarms": score.false_alarms(), "auc": score.area(),
        "recall_at_1_percent": score.recall_at(10), "recall_at_5_percent": score.recall_at(50),
        "attack_kinds": kinds(attack_kinds), "harmless_kinds": kinds(harmless_kinds),
    })
}
