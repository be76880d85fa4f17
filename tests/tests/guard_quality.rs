//! How good the detectors are on sets by authors who had not seen them: what was reached stays.

use raptorgate_tests::gateway::command_line;
use raptorgate_tests::{machine, python};
use serde_json::Value;
use std::path::Path;

/// What `raptorgate guards test` says of a set.
fn judged(file: &Path) -> Value {
    let output = command_line(&["guards", "test", &file.to_string_lossy(), "--json"]);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn at_least(told: &Value, pointer: &str, least: f64) {
    let value = told.pointer(pointer).and_then(Value::as_f64).expect("a number");
    assert!(value >= least, "{pointer} is {value}, below {least}");
}

fn at_most(told: &Value, pointer: &str, most: f64) {
    let value = told.pointer(pointer).and_then(Value::as_f64).expect("a number");
    assert!(value <= most, "{pointer} is {value}, above {most}");
}

#[test]
fn personal_data_of_other_authors_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, arguments) in
        [("third_pii/gen.py", &[][..]), ("pii.py", &["--seed", "3", "--count", "2000", "--half", "b"])]
    {
        let file = folder.path().join("set.jsonl");
        std::fs::write(&file, python::guard_set(name, arguments)).expect("written");
        let told = judged(&file);
        at_least(&told, "/overlap/f1", 0.98);
        at_least(&told, "/exact/f1", 0.975);
        at_least(&told, "/macro_f1", 0.975);
        at_most(&told, "/leaked", 0.025);
        at_most(&told, "/harmless_hit", told["harmless"].as_f64().expect("a number") * 0.05);
    }
}

#[test]
fn injections_of_another_author_are_found() {
    let told = judged(&machine::workspace().join("tests/guard_sets/injection_third.jsonl"));
    at_least(&told, "/auc", 0.955);
    at_least(&told, "/recall", 0.6);
    at_most(&told, "/false_alarms", 0.03);
    at_least(&told, "/recall_at_1_percent", 0.42);
    at_least(&told, "/recall_at_5_percent", 0.8);
}
