//! Figures: area under the curve, recall at a share of false alarms, by source and kind.

use crate::data::Example;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The score that this share of harmless lines is above.
pub fn at_false_alarms(scored: &[(f32, bool)], share: f32) -> f32 {
    let mut harmless: Vec<f32> = scored.iter().filter(|(_, label)| !label).map(|(s, _)| *s).collect();
    harmless.sort_by(|a, b| b.total_cmp(a));
    harmless.get((harmless.len() as f32 * share) as usize).copied().unwrap_or(0.0)
}

/// Area under the curve: how often an attack scores above a harmless line.
pub fn area(scored: &[(f32, bool)]) -> f32 {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut won) = (0_f64, 0_f64);
    for (_, label) in &sorted {
        if *label { won += below } else { below += 1.0 }
    }
    let attacks = sorted.iter().filter(|(_, l)| *l).count() as f64;
    (won / (attacks * below).max(1.0)) as f32
}

fn above(scored: &[(f32, bool)], label: bool, threshold: f32) -> f32 {
    let of: Vec<f32> = scored.iter().filter(|(_, l)| *l == label).map(|(s, _)| *s).collect();
    of.iter().filter(|s| **s > threshold).count() as f32 / of.len().max(1) as f32
}

/// One line of figures.
pub fn line(scored: &[(f32, bool)]) -> String {
    let recall = |share| above(scored, true, at_false_alarms(scored, share));
    let threshold = at_false_alarms(scored, 0.01);
    format!(
        "AUC {:.3}  recall at FPR 1 % {:.3} (threshold {threshold:.2}), 2 % {:.3}, 5 % {:.3}",
        area(scored),
        recall(0.01),
        recall(0.02),
        recall(0.05)
    )
}

/// The threshold of a share of false alarms over sources not trained on, all sources together.
pub fn threshold(held_out: &[(String, String, f32, bool)], share: f32) -> f32 {
    at_false_alarms(&held_out.iter().map(|(_, _, s, l)| (*s, *l)).collect::<Vec<_>>(), share)
}

/// Figures of sources left out, at the threshold of all of them.
pub fn by_source(held_out: &[(String, String, f32, bool)]) -> String {
    let all: Vec<(f32, bool)> = held_out.iter().map(|(_, _, s, l)| (*s, *l)).collect();
    let named = held_out.iter().map(|(source, kind, s, l)| (format!("{source} {kind}"), *s, *l));
    format!("left out: {}\n{}", line(&all), groups(named, at_false_alarms(&all, 0.01), &all))
}

fn groups(named: impl Iterator<Item = (String, f32, bool)>, threshold: f32, all: &[(f32, bool)]) -> String {
    let mut by: BTreeMap<(bool, String), Vec<f32>> = BTreeMap::new();
    for (name, score, label) in named {
        by.entry((label, name)).or_default().push(score);
    }
    let mut out = String::new();
    for ((label, name), scores) in by {
        let flagged = scores.iter().filter(|s| **s > threshold).count() as f32 / scores.len() as f32;
        let mut with: Vec<(f32, bool)> = all.iter().filter(|(_, l)| *l != label).copied().collect();
        with.extend(scores.iter().map(|s| (*s, label)));
        let (what, area) = (if label { "attack  " } else { "harmless" }, area(&with));
        let _ = writeln!(out, "  {what} {name:48} n={:5} flagged {flagged:.3}  AUC {area:.3}", scores.len());
    }
    out
}

/// Figures of a file that is only measured on.
pub fn measured(scored: &[(&Example, f32)], threshold: f32) {
    let all: Vec<(f32, bool)> = scored.iter().map(|(e, s)| (*s, e.label)).collect();
    println!("{}", line(&all));
    println!(
        "at the default threshold: recall {:.3}, FPR {:.3}",
        above(&all, true, threshold),
        above(&all, false, threshold)
    );
    groups(
        scored.iter().map(|(e, s)| (format!("{} {}", e.source, e.kind), *s, e.label)),
        at_false_alarms(&all, 0.01),
        &all,
    );
}
