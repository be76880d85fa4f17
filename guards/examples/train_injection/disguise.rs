//! The same lines in disguise, attacks and harmless ones alike, so that a disguise alone says nothing.

use crate::data::Example;
use crate::learn::Random;
use std::fmt::Write as _;

/// Lines of each disguise and label.
const LINES_EACH: usize = 220;
/// Longest line that is disguised.
const BYTES_MAX: usize = 400;

/// How a line is disguised.
type Disguise = fn(&str, &mut Random) -> String;

const DISGUISES: [(&str, Disguise); 13] = [
    ("base64", base64),
    ("hex", hex),
    ("leet", leet),
    ("zero width", zero_width),
    ("homoglyphs", homoglyphs),
    ("full width", full_width),
    ("spaced", spaced),
    ("reversed", reversed),
    ("rotated", rotated),
    ("typing errors", typing_errors),
    ("case", mixed_case),
    ("tags", tags),
    ("marks", marks),
];

/// Some lines of each label in each disguise.
pub fn some(examples: &[Example], random: &mut Random) -> Vec<Example> {
    let mut out = Vec::new();
    for label in [true, false] {
        let plain = |e: &&Example| {
            e.label == label && e.text.len() <= BYTES_MAX && e.text.is_ascii() && !e.kind.contains("about")
        };
        let pool: Vec<&Example> = examples.iter().filter(plain).collect();
        for (name, disguise) in DISGUISES {
            for _ in 0..LINES_EACH {
                let text = disguise(&pool[random.below(pool.len())].text, random);
                let kind = if label { "disguised".to_owned() } else { "disguised harmless".to_owned() };
                out.push(Example { text, label, source: format!("grammar {name}"), kind });
            }
        }
    }
    out
}

fn with_frame(encoded: &str, verb: &str, random: &mut Random) -> String {
    match random.below(4) {
        0 => format!("{verb}: {encoded}"),
        1 => format!("data: {encoded}"),
        2 => format!("What does this say? {encoded}"),
        _ => encoded.to_owned(),
    }
}

fn base64(text: &str, random: &mut Random) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in text.as_bytes().chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for k in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * k)) as usize & 63];
            out.push(if k > group.len() { '=' } else { char::from(digit) });
        }
    }
    with_frame(&out, "Decode this base64", random)
}

fn hex(text: &str, random: &mut Random) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        let _ = write!(out, "{b:02x}");
    }
    with_frame(&out, "Decode this hex", random)
}

fn each(text: &str, random: &mut Random, change: impl Fn(char, &mut Random) -> String) -> String {
    text.chars().map(|c| change(c, random)).collect()
}

fn leet(text: &str, random: &mut Random) -> String {
    let share = 5 + random.below(5);
    each(&text.to_lowercase(), random, |c, random| {
        let digit = match c {
            'o' => '0',
            'i' | 'l' => '1',
            'e' => '3',
            'a' => '4',
            's' => '5',
            't' => '7',
            c => c,
        };
        if random.below(10) < share { digit } else { c }.to_string()
    })
}

fn zero_width(text: &str, random: &mut Random) -> String {
    each(text, random, |c, random| {
        let hidden = ["", "", "\u{200b}", "\u{200c}", "\u{2060}", "\u{ad}", "\u{feff}"];
        format!("{c}{}", if c.is_alphabetic() { hidden[random.below(hidden.len())] } else { "" })
    })
}

fn homoglyphs(text: &str, random: &mut Random) -> String {
    each(text, random, |c, random| {
        let alike = match c {
            'a' => 'а',
            'c' => 'с',
            'e' => 'е',
            'i' => 'і',
            'o' => 'о',
            'p' => 'р',
            's' => 'ѕ',
            'x' => 'х',
            'y' => 'у',
            c => c,
        };
        if random.below(3) > 0 { alike } else { c }.to_string()
    })
}

fn full_width(text: &str, random: &mut Random) -> String {
    let offset = if random.below(2) == 0 { 0xfee0 } else { 0x1d3bf };
    each(text, random, |c, _| {
        let is_shifted = if offset == 0xfee0 { c.is_ascii_graphic() } else { c.is_ascii_uppercase() };
        let bold = c.is_ascii_lowercase() && offset != 0xfee0;
        let code = c as u32
            + if bold {
                0x1d3b9
            } else if is_shifted {
                offset
            } else {
                0
            };
        char::from_u32(code).unwrap_or(c).to_string()
    })
}

fn spaced(text: &str, random: &mut Random) -> String {
    let separator = [" ", "-", ".", "_"][random.below(4)];
    let gap = if separator == " " { ["  ", " ", "   "][random.below(3)] } else { " " };
    let word = |w: &str| w.chars().map(String::from).collect::<Vec<_>>().join(separator);
    text.split(' ').map(word).collect::<Vec<_>>().join(gap)
}

fn reversed(text: &str, random: &mut Random) -> String {
    let back: String = text.chars().rev().collect();
    if random.below(3) == 0 { format!("Read this backwards: {back}") } else { back }
}

fn rotated(text: &str, random: &mut Random) -> String {
    let rotate = |c: char| match c {
        'a'..='m' | 'A'..='M' => char::from(c as u8 + 13),
        'n'..='z' | 'N'..='Z' => char::from(c as u8 - 13),
        c => c,
    };
    let out: String = text.chars().map(rotate).collect();
    if random.below(3) == 0 { format!("rot13: {out}") } else { out }
}

fn typing_errors(text: &str, random: &mut Random) -> String {
    let word = |w: &str, random: &mut Random| {
        let mut chars: Vec<char> = w.chars().collect();
        if chars.len() >= 5 && random.below(3) > 0 {
            let at = 1 + random.below(chars.len() - 3);
            match random.below(4) {
                0 => drop(chars.remove(at)),
                1 => chars.insert(at, chars[at]),
                _ => chars.swap(at, at + 1),
            }
        }
        chars.into_iter().collect::<String>()
    };
    let words: Vec<String> = text.split(' ').map(|w| word(w, random)).collect();
    words.join(" ")
}

fn mixed_case(text: &str, random: &mut Random) -> String {
    each(text, random, |c, random| {
        if random.below(2) == 0 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }.to_string()
    })
}

fn tags(text: &str, random: &mut Random) -> String {
    let hidden: String = text.chars().filter_map(|c| char::from_u32(c as u32 + 0xe0000)).collect();
    if random.below(2) == 0 { format!("Nice weather today. {hidden}") } else { hidden }
}

fn marks(text: &str, random: &mut Random) -> String {
    each(text, random, |c, random| {
        let marks = ["", "", "\u{301}", "\u{308}", "\u{336}", "\u{327}"];
        format!("{c}{}", if c.is_alphabetic() { marks[random.below(marks.len())] } else { "" })
    })
}
