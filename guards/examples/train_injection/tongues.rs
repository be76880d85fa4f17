//! Lines in many languages, made of templates with alternatives.

use crate::data::Example;
use crate::learn::Random;
use std::collections::{BTreeMap, BTreeSet};

const TEMPLATES: &str = include_str!("../../training/tongues.txt");

/// Lines of each language and label.
const LINES_EACH: usize = 200;

fn expand(template: &str, random: &mut Random) -> String {
    let mut text = template.to_owned();
    while let Some(start) = text.rfind("[[") {
        let len = text[start..].find("]]").unwrap_or_else(|| panic!("no end of alternatives: {template}"));
        let options: Vec<&str> = text[start + 2..start + len].split('|').collect();
        let chosen = options[random.below(options.len())].to_owned();
        text.replace_range(start..start + len + 2, &chosen);
    }
    text.replace("  ", " ").trim().to_owned()
}

/// All languages, both labels; some lines have two sentences, some a sentence of the other label before.
pub fn generate(random: &mut Random) -> Vec<Example> {
    let mut templates: BTreeMap<(&str, bool), Vec<&str>> = BTreeMap::new();
    let mut now = ("", false);
    for line in TEMPLATES.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        match (line.strip_prefix('!'), line.strip_prefix('=')) {
            (Some(language), _) => now = (language, true),
            (_, Some(language)) => now = (language, false),
            _ => templates.entry(now).or_default().push(line),
        }
    }
    let mut out = Vec::new();
    for ((language, label), lines) in &templates {
        let harmless = &templates[&(*language, false)];
        let mut seen = BTreeSet::new();
        for _ in 0..LINES_EACH * 2 {
            let one = expand(lines[random.below(lines.len())], random);
            let text = match random.below(6) {
                0 => format!("{}\n{one}", expand(harmless[random.below(harmless.len())], random)),
                1 => format!("{one}. {}", expand(lines[random.below(lines.len())], random)),
                _ => one,
            };
            if seen.len() < LINES_EACH && seen.insert(text.clone()) {
                let kind = if *label { format!("tongue {language}") } else { "tongues".to_owned() };
                out.push(Example { text, label: *label, source: "grammar".to_owned(), kind });
            }
        }
    }
    out
}
