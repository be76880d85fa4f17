//! The labelled lines of the guards' `pii_dev.jsonl`.

#![allow(dead_code, reason = "each test binary uses its part of this module")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of tests stand outside of test functions")]

use raptorgate_config::model::{PiiAction, PiiType};
use raptorgate_filters::pii::Rules;

/// One labelled text.
pub struct Line {
    pub id: String,
    pub text: String,
    /// Values of all types.
    pub values: Vec<String>,
    /// No value of any type.
    pub clean: bool,
}

/// All labelled texts.
pub fn lines() -> Vec<Line> {
    let file = include_str!("../../../guards/tests/data/pii_dev.jsonl");
    file.split('\n').filter(|line| !line.is_empty()).map(line).collect()
}

fn line(json: &str) -> Line {
    let line: serde_json::Value = serde_json::from_str(json).expect("a JSON line");
    let string = |value: &serde_json::Value| value.as_str().expect("a string").to_owned();
    let entities = line["entities"].as_array().expect("a list");
    Line {
        id: string(&line["id"]),
        text: string(&line["text"]),
        values: entities.iter().map(|e| string(&e["text"])).collect(),
        clean: entities.is_empty(),
    }
}

/// Every type with one action.
pub fn all(action: PiiAction) -> Vec<(PiiType, PiiAction)> {
    PiiType::ALL.map(|kind| (kind, action)).to_vec()
}

/// Rules that replace every type, and rules that keep the last four characters.
pub fn both_rules() -> [Rules; 2] {
    [Rules::new(&all(PiiAction::Replace)), Rules::new(&all(PiiAction::Mask { keep_last: 4 }))]
}

/// Fails if a labelled value is readable in `masked`.
pub fn assert_masked(line: &Line, masked: &str) {
    for value in &line.values {
        assert!(!masked.contains(value.as_str()), "a value of {} survives", line.id);
    }
}
