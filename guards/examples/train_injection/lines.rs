//! Lines of our own, written one by one by several authors who had not seen each other's: `kind<TAB>text`, `\n` for the end of a
//! line.

use crate::data::Example;

macro_rules! author {
    ($source:literal, $file:literal) => {
        (
            $source,
            include_str!(concat!("../../training/lines/", $file, "_attacks.txt")),
            include_str!(concat!("../../training/lines/", $file, "_harmless.txt")),
        )
    };
}

/// Author, attacks, harmless lines.
const AUTHORS: [(&str, &str, &str); 9] = [
    author!("lines a", "a"),
    author!("lines b", "b"),
    author!("lines c", "c"),
    author!("lines d", "d"),
    author!("lines e", "e"),
    author!("lines tongues_a", "tongues_a"),
    author!("lines tongues_b", "tongues_b"),
    author!("lines third", "third"),
    author!("lines short", "short"),
];

/// All lines.
pub fn all() -> Vec<Example> {
    AUTHORS
        .iter()
        .flat_map(|(source, attacks, harmless)| read(source, attacks, true).chain(read(source, harmless, false)))
        .collect()
}

fn read(source: &'static str, lines: &'static str, label: bool) -> impl Iterator<Item = Example> {
    lines.split('\n').filter(|line| !line.is_empty() && !line.starts_with('#')).map(move |line| {
        let (kind, text) = line.split_once('\t').unwrap_or_else(|| panic!("no kind: {line}"));
        Example { text: text.replace("\\n", "\n"), label, source: source.to_owned(), kind: kind.to_owned() }
    })
}
