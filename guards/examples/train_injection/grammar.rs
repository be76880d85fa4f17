//! Lines of our own, written by a grammar: attacks and harmless ones in many languages.

use crate::data::Example;

/// All lines, the same every time.
pub fn generate() -> Vec<Example> {
    Vec::new()
}
