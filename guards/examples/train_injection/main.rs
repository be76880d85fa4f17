//! Trains the weights of the injection detector and says how well they do on sources they were not trained on.
//!
//! `train_injection TRAIN.jsonl... [--out FOLDER] [--measure FILE.jsonl]... [--no-folds] [--dump]`
//!
//! Prints, for each source left out, the area under the curve and the recall at 1 % of false alarms; then trains on all of it.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a program of developers"
)]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "statistics")]

mod data;
mod disguise;
mod grammar;
mod learn;
mod lines;
mod report;
mod tongues;

use data::{Example, Sample};
use raptorgate_guards::injection::model::Model;
use raptorgate_guards::injection::slots::SlotFinder;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Share of harmless texts, of sources not trained on, that the default threshold flags.
const FALSE_ALARMS: f32 = 0.01;

struct Arguments {
    train: Vec<PathBuf>,
    out: Option<PathBuf>,
    measure: Vec<PathBuf>,
    folds: bool,
    dump: bool,
}

fn arguments() -> Arguments {
    let mut words = std::env::args().skip(1);
    let mut parsed = Arguments { train: Vec::new(), out: None, measure: Vec::new(), folds: true, dump: false };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--out" => parsed.out = words.next().map(PathBuf::from),
            "--measure" => parsed.measure.extend(words.next().map(PathBuf::from)),
            "--no-folds" => parsed.folds = false,
            "--dump" => parsed.dump = true,
            _ => parsed.train.push(PathBuf::from(word)),
        }
    }
    parsed
}

fn main() {
    let arguments = arguments();
    let finder = SlotFinder::new().expect("the word lists compile");
    let mut examples: Vec<_> = arguments.train.iter().flat_map(|path| data::read(path)).collect();
    examples.extend(grammar::generate());
    let samples: Vec<Sample> = examples.iter().map(|e| Sample::of(e, &finder)).collect();
    println!("{} examples, {} windows", samples.len(), samples.iter().map(|s| s.windows.len()).sum::<usize>());
    let held_out = if arguments.folds { folds(&samples) } else { Vec::new() };
    if arguments.folds {
        print!("{}", report::by_source(&held_out));
        if arguments.dump {
            let scored = samples.iter().enumerate().filter(|(_, s)| !s.fold.is_empty());
            let mut indices: Vec<usize> = scored.map(|(i, _)| i).collect();
            indices.sort_by_key(|i| (samples[*i].fold.clone(), *i));
            for (i, (source, kind, score, label)) in indices.iter().zip(&held_out) {
                let text: String = examples[*i].text.replace('\n', "⏎").chars().take(260).collect();
                println!("FOLD\t{}\t{source}\t{kind}\t{score:.2}\t{text}", u8::from(*label));
            }
        }
    }
    if arguments.folds && arguments.out.is_none() && arguments.measure.is_empty() {
        return;
    }
    let all: Vec<&Sample> = samples.iter().collect();
    let weights = learn::train(&all);
    let threshold = if held_out.is_empty() { 0.0 } else { report::threshold(&held_out, FALSE_ALARMS) };
    let model = Model::quantised(&weights.lexical, &weights.concept, weights.bias, [threshold, 1.0]);
    println!("in training: {}", report::line(&all.iter().map(|s| (s.score(&weights), s.label)).collect::<Vec<_>>()));
    for path in &arguments.measure {
        measure(path, &finder, &weights, threshold, arguments.dump);
    }
    if let Some(out) = &arguments.out {
        std::fs::write(out.join("model.bin"), model.write()).expect("write the model");
        let figures = format!("default threshold: logit {threshold:.3}\n{}", report::by_source(&held_out));
        std::fs::write(out.join("model.figures.txt"), figures).expect("write the figures");
        println!("threshold {threshold:.3}");
    }
}

/// For each fold, what a model says that has seen no line of its sources.
fn folds(samples: &[Sample]) -> Vec<(String, String, f32, bool)> {
    let mut by_fold: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, sample) in samples.iter().enumerate().filter(|(_, s)| !s.fold.is_empty()) {
        by_fold.entry(&sample.fold).or_default().push(i);
    }
    let mut out = Vec::new();
    for (fold, held) in by_fold {
        let kept: Vec<&Sample> = samples.iter().filter(|s| s.fold != fold).collect();
        let weights = learn::train_once(&kept, 1);
        out.extend(held.iter().map(|i| {
            let sample = &samples[*i];
            (sample.source.clone(), sample.kind.clone(), sample.score(&weights), sample.label)
        }));
    }
    out
}

fn measure(path: &std::path::Path, finder: &SlotFinder, weights: &learn::Weights, threshold: f32, dump: bool) {
    let examples = data::read(path);
    let scored: Vec<(&Example, f32)> = examples.iter().map(|e| (e, Sample::of(e, finder).score(weights))).collect();
    println!("== {}", path.display());
    report::measured(&scored, threshold);
    if dump {
        for (example, score) in &scored {
            let text: String = example.text.replace('\n', "⏎").chars().take(200).collect();
            println!("DUMP\t{}\t{}\t{}\t{score:.2}\t{text}", u8::from(example.label), example.source, example.kind);
        }
    }
}
