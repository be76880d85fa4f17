//! How fast texts are gone over: clean text, what stands on standard input, and pieces of a stream.

use raptorgate_guards::pii::{Action, Masker, Rules, Tally, find};
use std::time::Instant;

fn time(name: &str, bytes: usize, mut run: impl FnMut()) {
    run();
    let mut best = f64::MAX;
    for _ in 0..7 {
        let started = Instant::now();
        run();
        best = best.min(started.elapsed().as_secs_f64());
    }
    println!("{name:28} {:9.1} MB/s {:8.2} us/KB", bytes as f64 / best / 1e6, best * 1e6 / (bytes as f64 / 1024.0));
}

fn main() {
    let rules = Rules::all(Action::Replace);
    let mixed = std::io::read_to_string(std::io::stdin().lock()).unwrap_or_default();
    let prose = "The committee met in the old library, where the windows face the garden; they talked about the harvest, \
                 the school, and what the river might do in spring. Nobody asked for more than there was.\n";
    let clean = prose.repeat(4096);
    let hindi =
        "समिति पुराने पुस्तकालय में मिली, जहाँ खिड़कियाँ बगीचे की ओर खुलती हैं; उन्होंने फसल और विद्यालय के बारे में बात की।\n".repeat(2048);
    let code = "fn scan_next_token(text: &[u8], at: usize) -> usize {\n    let found = next_interesting(text, at);\n    for i in 0..10 { a[i] = b[i + 1] * 2; }\n}\n".repeat(2048);
    time("clean, whole", clean.len(), || assert!(Masker::whole(&rules, &clean, &mut Tally::default()).is_none()));
    time("clean Hindi, whole", hindi.len(), || assert!(Masker::whole(&rules, &hindi, &mut Tally::default()).is_none()));
    time("code, whole", code.len(), || assert!(Masker::whole(&rules, &code, &mut Tally::default()).is_none()));
    time("mixed, whole", mixed.len(), || drop(Masker::whole(&rules, &mixed, &mut Tally::default())));
    time("mixed, find", mixed.len(), || drop(find(&mixed, &rules)));
    let lines: Vec<&str> = mixed.split('\n').collect();
    time("mixed, line by line", mixed.len(), || lines.iter().for_each(|line| drop(find(line, &rules))));
    for (name, text) in [("clean, 40 bytes", &clean), ("mixed, 40 bytes", &mixed)] {
        let pieces: Vec<String> = text.chars().collect::<Vec<_>>().chunks(40).map(|c| c.iter().collect()).collect();
        let started = Instant::now();
        let (mut masker, mut out) = (Masker::new(&rules), String::new());
        for piece in &pieces {
            out.clear();
            masker.push(piece, &mut out);
        }
        println!("{name:28} {:8.3} us a piece", started.elapsed().as_secs_f64() * 1e6 / pieces.len().max(1) as f64);
    }
}
