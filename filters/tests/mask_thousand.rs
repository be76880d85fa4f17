//! A thousand texts with values of every type, in every protocol, cut anywhere: no value survives, and the stream is the whole.

#![allow(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests stand outside of test functions"
)]

#[path = "../../guards/tests/dev_data/mod.rs"]
mod dev_data;
mod driver;
mod protocols;

use dev_data::all;
use driver::{filter, stream_bytes};
use protocols::{MASK, PROTOCOLS, pieces, whole};
use raptorgate_config::model::PiiType;
use raptorgate_filters::filter::BodyKind;
use raptorgate_guards::pii::checks::{gstin, iban, luhn, verhoeff};
use std::sync::atomic::{AtomicUsize, Ordering};

const TEXTS: usize = 1_000;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// `#`, `^` and `~` stand for a digit, a capital and a small letter.
    fn form(&mut self, form: &str) -> String {
        form.chars()
            .map(|c| match c {
                '#' => char::from(self.one(b"0123456789")),
                '^' => char::from(self.one(b"ABCDEFGHIJKLMNOPQRSTUVWYZ")),
                '~' => char::from(self.one(b"abcdefghijklmnopqrstuvwyz")),
                other => other,
            })
            .collect()
    }

    /// The first form of this shape that passes a check.
    fn proved(&mut self, form: &str, proof: impl Fn(&[u8]) -> bool) -> String {
        (0..20_000).map(|_| self.form(form)).find(|made| proof(made.as_bytes())).expect("a form that can pass")
    }
}

fn grouped(digits: &str, by: usize, sign: &str) -> String {
    digits.as_bytes().chunks(by).map(|group| std::str::from_utf8(group).unwrap()).collect::<Vec<_>>().join(sign)
}

/// In digits of another script.
fn in_script(text: &str, zero: char) -> String {
    let digit = |c: char| c.to_digit(10).and_then(|d| char::from_u32(zero as u32 + d));
    text.chars().map(|c| digit(c).unwrap_or(c)).collect()
}

/// What stands before a value, and the value.
fn value(kind: PiiType, random: &mut Random) -> (&'static str, String) {
    let digit = random.one(&['6', '7', '8', '9']);
    match kind {
        PiiType::Email => ("mail ", random.form("~~~~.~~~##@~~~~~~.~~~.in")),
        PiiType::Phone => {
            let mobile = random.form(&format!("{digit}#### #####"));
            let bare = mobile.replace(' ', "");
            let other = in_script(&mobile, random.one(&['\u{966}', '\u{be6}', '\u{9e6}', '\u{c66}', '\u{ff10}']));
            (
                "call ",
                random
                    .one(&[&format!("+91 {mobile}"), &bare, &format!("0{bare}"), &other, "+44 20 7946 0958"])
                    .to_owned(),
            )
        }
        PiiType::Aadhaar => {
            let number = random.proved("2###########", verhoeff::is_valid);
            (
                "Aadhaar ",
                random
                    .one(&[
                        &grouped(&number, 4, " "),
                        &grouped(&number, 4, "-"),
                        &number,
                        &in_script(&grouped(&number, 4, " "), '\u{966}'),
                    ])
                    .to_owned(),
            )
        }
        PiiType::Pan => ("PAN ", random.form("^^^P^####^")),
        PiiType::Gstin => ("GSTIN ", random.proved("27^^^P^####^1Z^", gstin::is_valid)),
        PiiType::Ifsc => ("IFSC ", random.form("HDFC000####")),
        PiiType::Upi => ("pay ", random.form("~~~~~~##@okaxis")),
        PiiType::VoterId => ("voter id ", random.form("^^^#######")),
        PiiType::Passport => ("passport ", random.form("M#######")),
        PiiType::DrivingLicence => ("licence ", random.form("MH122011#######")),
        PiiType::VehicleReg => ("car ", random.form("KA 05 MJ ####")),
        PiiType::CreditCard => {
            let number = random.proved("4532############", luhn::is_valid);
            ("card ", random.one(&[&grouped(&number, 4, " "), &number]).to_owned())
        }
        PiiType::Iban => ("IBAN ", random.proved("DE##370400440532013###", iban::is_valid)),
        PiiType::UsSsn => ("SSN ", format!("5{}", random.form("##-45-###1"))),
        PiiType::IpAddress => {
            ("host ", random.one(&["203.0.113.77", "2001:db8::8a2e:370:7334", "198.51.100.23"]).to_owned())
        }
        PiiType::Secret => (
            "key ",
            format!("{}{}", random.one(&["AKIA", "ghp_"]), random.form("^^^^^^^^^^^^^^^^####################")),
        ),
    }
}

/// A text and the value in it.
fn text(n: usize) -> (String, String) {
    const BEFORE: &[&str] = &["Hi, ", "", "नमस्ते, ", "Note — ", "{\"a\": \"", "1) ", "வணக்கம் ", "ok: ", "😀 "];
    const AFTER: &[&str] = &[".", " please", "", ", धन्यवाद", "\n", "\"}", " ok?", ") and more", "; नाम"];
    let mut random = Random(n as u64);
    let kind = PiiType::ALL[n % PiiType::ALL.len()];
    let (word, mut value) = value(kind, &mut random);
    if kind == PiiType::Secret && value.starts_with("AKIA") {
        value.truncate(20);
    }
    (format!("{}{word}{value}{}", random.one(BEFORE), random.one(AFTER)), value)
}

/// Every place of a text between characters as a cut in two events, in every protocol; every byte of it as a cut of plain text.
fn check(n: usize) {
    let (text, value) = text(n);
    let expected = whole(&text);
    assert!(!expected.contains(&value), "number {n} is not found: {text}");
    for cut in 0..=text.chars().count() {
        for protocol in PROTOCOLS {
            let stream = (protocol.send)(&pieces(&text, &[cut]));
            let (got, raw) = protocol.received(&[stream.as_bytes()]);
            assert_eq!(got, expected, "number {n} in {} cut before {cut}", protocol.name);
            assert!(!raw.contains(&value), "number {n} in {} cut before {cut} survives", protocol.name);
        }
    }
    for cut in 0..=text.len() {
        let (left, right) = text.as_bytes().split_at(cut);
        let out = stream_bytes(&filter(&[], &all(MASK)), BodyKind::Text, &[left, right]);
        assert_eq!(String::from_utf8(out).unwrap(), expected, "number {n} cut at byte {cut}");
    }
}

#[test]
fn a_thousand_texts_survive_no_protocol_wherever_they_are_cut() {
    let next = AtomicUsize::new(0);
    let take = || next.fetch_add(1, Ordering::Relaxed);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let mut n = take();
                while n < TEXTS {
                    check(n);
                    n = take();
                }
            });
        }
    });
}

/// The bytes of one event, cut anywhere, for each type and protocol.
#[test]
fn events_of_each_type_are_read_wherever_their_bytes_are_cut() {
    for n in 0..PiiType::ALL.len() {
        let (text, value) = text(n);
        let expected = whole(&text);
        for protocol in PROTOCOLS {
            let stream = (protocol.send)(&pieces(&text, &[text.chars().count() / 2]));
            for cut in 0..=stream.len() {
                let (left, right) = stream.as_bytes().split_at(cut);
                let (got, raw) = protocol.received(&[left, right]);
                assert_eq!(got, expected, "{} cut at {cut}", protocol.name);
                assert!(!raw.contains(&value), "{} cut at {cut}", protocol.name);
            }
        }
    }
}
