//! Lines of our own, written by a grammar: attacks and harmless ones in many languages.
//!
//! The grammars are in `guards/training`; this expands them, the same way every time.

use crate::data::Example;
use crate::disguise;
use crate::learn::Random;
use crate::lines;
use crate::tongues;
use std::collections::{BTreeMap, BTreeSet};

const WORDS: &str = include_str!("../../training/words.txt");
const CARRIERS: &str = include_str!("../../training/carriers.txt");
const ATTACKS: &str = include_str!("../../training/attacks.txt");
const HARMLESS: &str = include_str!("../../training/harmless.txt");

/// Tries for each line that is wanted, since lines can come twice.
const TRIES: usize = 3;
/// Lines of other languages in documents, of each label.
const CARRIED_EACH: usize = 1_200;
/// Deepest reference of a list to a list.
const DEPTH_MAX: usize = 12;

/// Lists of alternatives by name, and the kinds with how many lines are wanted.
#[derive(Default)]
struct Grammar {
    lists: BTreeMap<String, Vec<String>>,
    kinds: Vec<(String, usize, Vec<String>)>,
}

impl Grammar {
    fn read(texts: &[&str]) -> Self {
        let mut grammar = Self::default();
        let mut list: Option<String> = None;
        for line in texts.iter().flat_map(|t| t.lines()) {
            if line.starts_with("# ") && line.len() > 60 || line.is_empty() {
                continue;
            }
            if let Some(kind) = line.strip_prefix("@@") {
                let (name, count) = kind.split_once(' ').expect("a kind and a number");
                grammar.kinds.push((name.to_owned(), count.parse().expect("a number"), Vec::new()));
                list = None;
            } else if let Some(name) = line.strip_prefix('@').filter(|n| n.bytes().all(|b| b.is_ascii_lowercase())) {
                list = Some(name.to_owned());
            } else if let Some(name) = &list {
                grammar.lists.entry(name.clone()).or_default().push(line.to_owned());
            } else {
                grammar.kinds.last_mut().expect("a kind").2.push(line.to_owned());
            }
        }
        grammar
    }

    fn one<'a>(lines: &'a [String], random: &mut Random) -> &'a str {
        &lines[random.below(lines.len())]
    }

    /// Expands alternatives first, then names.
    fn expand(&self, template: &str, random: &mut Random, depth: usize) -> String {
        assert!(depth < DEPTH_MAX, "a list that refers to itself: {template}");
        let mut text = template.to_owned();
        while let Some(start) = text.rfind("[[") {
            let len = text[start..].find("]]").unwrap_or_else(|| panic!("no end of alternatives: {template}"));
            let options: Vec<&str> = text[start + 2..start + len].split('|').collect();
            let chosen = options[random.below(options.len())].to_owned();
            text.replace_range(start..start + len + 2, &chosen);
        }
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let behind = &rest[at + 1..];
            let len = behind.bytes().take_while(u8::is_ascii_lowercase).count();
            match self.lists.get(&behind[..len]) {
                Some(list) => out.push_str(&self.expand(Self::one(list, random), random, depth + 1)),
                None => panic!("no list {} in {template}", &behind[..len]),
            }
            rest = &behind[len..];
        }
        out.push_str(rest);
        out
    }

    fn line(&self, template: &str, random: &mut Random) -> String {
        let text = match template.strip_prefix("%carrier ") {
            None => self.expand(template, random, 0),
            Some(inner) => {
                let inner = polish(&self.expand(inner, random, 0), random);
                let carrier = self.expand(Self::one(&self.lists["carrier"], random), random, 0);
                carrier.replace("%%", &inner)
            }
        };
        text.replace("\\n", "\n")
    }

    fn examples(&self, label: bool, random: &mut Random) -> Vec<Example> {
        let mut seen = BTreeSet::new();
        let mut out = Vec::new();
        for (kind, count, templates) in &self.kinds {
            let before = out.len();
            for _ in 0..count * TRIES {
                if out.len() - before >= *count {
                    break;
                }
                let text = polish(&self.line(Self::one(templates, random), random), random);
                if seen.insert(text.clone()) {
                    out.push(Example { text, label, source: "grammar".to_owned(), kind: kind.clone() });
                }
            }
        }
        out
    }
}

/// Capitals and full stops as people set them, or do not.
fn polish(text: &str, random: &mut Random) -> String {
    let mut text = text.replace("..", ".").replace("!.", "!").replace("?.", "?");
    match random.below(12) {
        0 => text = text.to_lowercase(),
        1 => text = text.to_uppercase(),
        2..=4 => {}
        _ => {
            let mut is_start = true;
            text = text
                .chars()
                .map(|c| {
                    let out = if is_start && c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c };
                    is_start = if c.is_whitespace() { is_start } else { matches!(c, '.' | '!' | '?') };
                    out
                })
                .collect();
            if random.below(2) == 0 && text.ends_with(|c: char| c.is_alphanumeric()) {
                text.push('.');
            }
        }
    }
    text
}

/// Lines of other languages in documents, which are English.
fn carried(grammar: &Grammar, tongues: &[Example], random: &mut Random) -> Vec<Example> {
    let openers =
        ["", "", "AI: ", "Note to the assistant: ", "Important: ", "Assistant, ", "AI instruction: ", "(", "P.S. "];
    let mut out = Vec::new();
    for label in [true, false] {
        let pool: Vec<&Example> = tongues.iter().filter(|e| e.label == label).collect();
        for _ in 0..CARRIED_EACH {
            let carrier =
                grammar.expand(Grammar::one(&grammar.lists["carrier"], random), random, 0).replace("\\n", "\n");
            let opener = if label { openers[random.below(openers.len())] } else { "" };
            let text = carrier.replace("%%", &format!("{opener}{}", pool[random.below(pool.len())].text));
            let kind = if label { "tongues carried" } else { "tongues carried harmless" };
            out.push(Example { text, label, source: "grammar".to_owned(), kind: kind.to_owned() });
        }
    }
    out
}

/// All lines, the same every time.
pub fn generate() -> Vec<Example> {
    let mut random = Random(7);
    let attacks = Grammar::read(&[WORDS, CARRIERS, ATTACKS]);
    let mut examples = attacks.examples(true, &mut random);
    examples.extend(Grammar::read(&[WORDS, CARRIERS, HARMLESS]).examples(false, &mut random));
    let tongues = tongues::generate(&mut random);
    examples.extend(carried(&attacks, &tongues, &mut random));
    examples.extend(tongues);
    examples.extend(lines::all());
    let disguised = disguise::some(&examples, &mut random);
    examples.extend(disguised);
    examples
}
