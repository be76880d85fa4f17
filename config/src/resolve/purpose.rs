//! Purposes: enough labels and examples to learn from, and one that is allowed.

use crate::decode::Context;
use crate::model::{Purpose, PurposeAction, PurposeLabel};
use crate::problem::{Code, Finding};
use crate::purpose::PurposeBlock;

pub(super) fn check(block: &PurposeBlock, cx: &mut Context) {
    if !block.sound {
        return;
    }
    let labels = &block.labels;
    let mut tell = |at, message: &str, help: &str| cx.tell(Finding::new(at, Code::WrongValue, message).help(help));
    for (_, label) in labels.value.entries().filter(|(_, label)| label.examples.value.len() < Purpose::EXAMPLES_MIN) {
        tell(
            label.examples.at,
            "a label needs at least three examples",
            "twenty or more in different words are better",
        );
    }
    if !(2..=Purpose::LABELS_MAX).contains(&labels.value.0.len()) {
        tell(labels.at, "there must be 2 to 16 labels", "one for what the route is for, one for what it is not for");
    }
    if labels.value.entries().map(|(_, label)| label.examples.value.len()).sum::<usize>() > Purpose::EXAMPLES_MAX {
        tell(labels.at, "there are more than 2000 examples", "leave out those that say the same");
    }
    if !labels.value.entries().any(|(_, label)| label.action == PurposeAction::Allow) {
        tell(labels.at, "no label is allowed", "one label says what the route is for: leave out its `action`");
    }
}

pub(super) fn purpose(block: &PurposeBlock) -> Purpose {
    let label = |name: String, examples: &[crate::purpose::Example], action| PurposeLabel {
        name,
        examples: examples.iter().map(|example| example.0.clone()).collect(),
        action,
    };
    let entries = block.labels.value.entries();
    let labels = entries.map(|(name, b)| label(name.value.to_string(), &b.examples.value, b.action)).collect();
    Purpose { labels, shadow: block.shadow }
}
