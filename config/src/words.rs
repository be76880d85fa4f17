//! Enums that are written as one of a few words.

use crate::decode::{Context, is_broken, wrong_type};
use crate::problem::{Code, Finding, suggest};
use crate::source::MASK;
use crate::yaml::{Node, Value};

/// Enums that are written as one of a few words.
pub(crate) trait Words: Copy + PartialEq + 'static {
    const WORDS: &'static [(&'static str, Self, &'static str)];

    /// The word of a value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value, _)| *value == self).map_or("", |(word, _, _)| word)
    }
}

/// Reads one of a few words.
pub(crate) fn decode_word<T: Words>(node: &Node, cx: &mut Context) -> Option<T> {
    let words = T::WORDS.iter().map(|(word, _, _)| *word);
    let expected = words.clone().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
    let Value::Scalar(scalar) = &node.value else {
        cx.tell(wrong_type(node, &expected));
        return None;
    };
    if is_broken(node, cx) {
        return None;
    }
    let found = T::WORDS.iter().find(|(word, _, _)| *word == scalar.text);
    if found.is_none() {
        let shown = if scalar.secret { MASK } else { &scalar.text };
        let help = if scalar.secret { None } else { suggest(&scalar.text, words) };
        cx.tell(
            Finding::new(node.at, Code::WrongValue, format!("expected {expected}, found `{shown}`")).maybe_help(help),
        );
    }
    found.map(|(_, value, _)| *value)
}

/// Decodes a word or a block, for values that have a short and a long form.
pub(crate) fn is_scalar(node: &Node) -> bool {
    matches!(node.value, Value::Scalar(_))
}
