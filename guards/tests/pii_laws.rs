//! Laws of the detector: nothing labelled survives, cuts do not matter, what is held back is bounded.

#![allow(clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]

mod dev_data;

use dev_data::{all, assert_masked, both_rules, lines};
use proptest::prelude::*;
use raptorgate_config::model::{PiiAction, PiiType};
use raptorgate_guards::pii::{
    Action, DetectorConfig, Kind, LOOK_BYTES_MAX, Masker, Rules, THRESHOLD_PERCENT, Tally, Tokens, Wanted, canonical,
    placeholder, type_name,
};

/// Gives the types of these bits placeholders with a digest.
struct Hashed(u16);

impl Tokens for Hashed {
    fn token(&mut self, kind: Kind, value: &str) -> Option<String> {
        let Kind::Type(kind) = kind else { return None };
        // any digest will do
        let digest: Vec<u8> = canonical(value).into_iter().cycle().take(8).collect();
        (self.0 & (1 << kind as u16) != 0).then(|| placeholder(type_name(kind).trim_matches(['[', ']']), &digest))
    }
}

fn whole(rules: &Rules, text: &str) -> String {
    whole_by(rules, text, 0)
}

fn whole_by(rules: &Rules, text: &str, hashed: u16) -> String {
    let masked = Masker::whole_with(rules, "", text, &mut Tally::default(), &mut Hashed(hashed));
    masked.unwrap_or_else(|| text.to_owned())
}

fn streamed<'a>(rules: &Rules, pieces: impl IntoIterator<Item = &'a str>) -> String {
    streamed_by(rules, 0, pieces)
}

fn streamed_by<'a>(rules: &Rules, hashed: u16, pieces: impl IntoIterator<Item = &'a str>) -> String {
    let (mut masker, mut tokens) = (Masker::new(rules), Hashed(hashed));
    let mut out = String::new();
    for piece in pieces {
        masker.push_with(piece, &mut out, &mut tokens);
        assert!(masker.held().len() <= LOOK_BYTES_MAX, "held {} bytes", masker.held().len());
    }
    masker.finish_with(&mut out, &mut tokens);
    out
}

fn replaced(text: &str) -> String {
    whole(&Rules::new(&all(PiiAction::Replace)), text)
}

fn masked(text: &str) -> String {
    whole(&Rules::new(&all(PiiAction::Mask { keep_last: 4 })), text)
}

#[test]
fn labelled_values_never_survive_whole() {
    let lines = lines();
    assert_eq!(lines.len(), 280);
    assert!(lines.iter().map(|l| l.values.len()).sum::<usize>() > 140);
    for line in &lines {
        for rules in both_rules() {
            assert_masked(line, &whole(&rules, &line.text));
        }
    }
}

#[test]
fn each_type_is_found_without_the_others() {
    let find = |kind, text: &str| whole(&Rules::new(&[(kind, PiiAction::Replace)]), text);
    let text = "9876543210@example.com 2363, 8763 4538 0680 IVWAG7475N";
    assert_eq!(find(PiiType::Email, text), "[EMAIL] 2363, 8763 4538 0680 IVWAG7475N");
    assert_eq!(find(PiiType::Phone, text), "[PHONE]@example.com 2363, 8763 4538 0680 IVWAG7475N");
    assert_eq!(find(PiiType::Aadhaar, text), "9876543210@example.com 2363, [AADHAAR] IVWAG7475N");
    assert_eq!(find(PiiType::Pan, text), "9876543210@example.com 2363, 8763 4538 0680 [PAN]");
    assert_eq!(Masker::whole(&Rules::default(), text, &mut Tally::default()), None);
}

#[test]
fn a_cut_at_any_character_changes_nothing() {
    for line in lines() {
        for rules in both_rules() {
            let expected = whole(&rules, &line.text);
            for (at, _) in line.text.char_indices() {
                let (left, right) = line.text.split_at(at);
                assert_eq!(streamed(&rules, [left, right]), expected, "{} cut at {at}", line.id);
            }
            let singles: Vec<String> = line.text.chars().map(String::from).collect();
            assert_eq!(streamed(&rules, singles.iter().map(String::as_str)), expected, "{}", line.id);
        }
    }
}

#[test]
fn clean_lines_stay_unless_only_their_words_say_so() {
    let touched = lines().into_iter().filter(|l| l.clean && replaced(&l.text) != l.text);
    for line in touched {
        // A valid number is masked whatever is said about it: recall first.
        assert!(line.text.starts_with("order no ") || line.text.starts_with("bucket-"), "{}", line.text);
    }
}

#[test]
fn values_are_found_in_all_their_forms() {
    for phone in [
        "9876543210",
        "98765 43210",
        "98765-43210",
        "987-654-3210",
        "98765.43210",
        "+919876543210",
        "+91 98765 43210",
        "+91-9876543210",
        "(+91) 98765-43210",
        "091 98765 43210",
        "0091 9876543210",
        "09876543210",
        "919876543210",
        "91 98765 43210",
        "9876 543 210",
        "+1 415 480 5336",
        "+44 (0)20 7946 0958",
        "(415) 480-5336",
        "415-480-5336",
        "+33 6 17 85 77 62",
        "022 6811 9704",
        "(011) 3864-9025",
        "९८७६५४३२१०",
        "+९१ ९८७६५ ४३२१०",
        "９８７６５４３２１０",
        "98765\u{200B}43210",
        "98765\u{A0}43210",
        "98765–43210",
        "98765 - 43210",
    ] {
        assert_eq!(replaced(phone), "[PHONE]", "{phone}");
        assert_eq!(replaced(&format!("a ({phone}), b")), "a ([PHONE]), b");
        assert_eq!(replaced(&format!("फोन{phone}।")), "फोन[PHONE]।");
    }
    for aadhaar in
        ["876345380680", "8763 4538 0680", "8763-4538-0680", "8763–4538–0680", "८७६३ ४५३८ ०६८०", "8763\u{200B}45380680"]
    {
        assert_eq!(replaced(aadhaar), "[AADHAAR]", "{aadhaar}");
        assert_eq!(replaced(&format!("no.{aadhaar}.")), "no.[AADHAAR].");
    }
    for email in [
        "a@b.in",
        "first.last+tag@sub.example.co.in",
        "A_B%c-d@EXAMPLE.ORG",
        "9@x.io",
        "x@1.2.com",
        "a@xn--p1ai.xn--p1ai",
        "ａ＠ｂ.in",
        "a\u{200B}b@c\u{200B}d.com",
        "+919876543210@x.com",
    ] {
        assert_eq!(replaced(email), "[EMAIL]", "{email}");
        assert_eq!(replaced(&format!("<{email}>, {email}.")), "<[EMAIL]>, [EMAIL].");
    }
    for pan in ["IVWAG7475N", "ivwag7475n", "ＩＶＷＡＧ7475N"] {
        assert_eq!(replaced(&format!("pan_{pan}-x")), "pan_[PAN]-x", "{pan}");
    }
}

#[test]
fn what_only_looks_like_a_value_stays() {
    for text in [
        "98765432101",
        "5876543210",
        "a9876543210",
        "9876543210b",
        "0.9876543210",
        "9876543210.5",
        "12 34 56 78 90",
        "876345380681",
        "187634538068",
        "8763453806801234",
        "0x9876543210",
        "IVWAG7475",
        "IVWAG7475NX",
        "1IVWAG7475N",
        "IVWXG7475N",
        "a@b",
        "@b.com",
        "a@2.3.2",
        "git@github.com:org/r.git",
        "a@.com",
        "a@b.c",
        "978-0-7346-2675-9",
        "10.0.22574.2327",
        "19.096325, 72.886650",
        "1771892831",
        "6 7 8 9 10 11 12",
        "2024-10-15 10:30:00",
        "+1234567",
        "75 80 90 10 20 30",
        "+",
        "(",
        "@",
        "",
        "(+",
        "9876543210\n",
    ] {
        let expected = if text.ends_with('\n') { "[PHONE]\n" } else { text };
        assert_eq!(replaced(text), expected);
    }
    // A line ends every value: columns and list items are not glued.
    assert_eq!(replaced("98765\n43210\t98765\t43210"), "98765\n43210\t98765\t43210");
}

#[test]
fn masking_keeps_separators_and_the_last_characters() {
    assert_eq!(masked("8763 4538 0680"), "XXXX XXXX 0680");
    assert_eq!(masked("+91 98765-43210"), "+XX XXXXX-X3210");
    assert_eq!(masked("(011) 3864-9025"), "(XXX) XXXX-9025");
    assert_eq!(masked("IVWAG7475N"), "XXXXXX475N");
    assert_eq!(masked("८७६३ ४५३८ ०६८०"), "XXXX XXXX ०६८०");
    assert_eq!(masked("asha@example.com"), "[EMAIL]");
    let keep = |keep_last, text: &str| whole(&Rules::new(&all(PiiAction::Mask { keep_last })), text);
    assert_eq!(keep(0, "9876543210"), "XXXXXXXXXX");
    assert_eq!(keep(99, "9876543210"), "X876543210", "at least one character is masked");
}

#[test]
fn what_stays_readable_is_read_again_with_what_follows() {
    // The last group of the Aadhaar number and what follows look like a landline number.
    let once = masked("8763 4538 0680 9876543");
    assert_eq!(once, "XXXX XXXX XXXX XXX6543");
    assert_eq!(masked(&once), once);
}

#[test]
fn blocked_values_are_told_and_replaced_meanwhile() {
    let rules = Rules::new(&[(PiiType::Pan, PiiAction::Block), (PiiType::Email, PiiAction::Replace)]);
    let mut tally = Tally::default();
    assert_eq!(Masker::whole(&rules, "a@b.in", &mut tally).unwrap(), "[EMAIL]");
    assert!(!tally.blocked);
    assert_eq!(Masker::whole(&rules, "a@b.in IVWAG7475N", &mut tally).unwrap(), "[EMAIL] [PAN]");
    assert!(tally.blocked);
    assert_eq!(tally.found().collect::<Vec<_>>(), [(PiiType::Email, 2), (PiiType::Pan, 1)]);
}

#[test]
fn what_is_held_back_is_bounded() {
    for rules in both_rules() {
        for unit in ["a", "9", "9 ", "a.", "é9", "+", "(", "@", "a@", "a@b.", "\u{200B}9", "𝟗", "9-", "-"] {
            let text = unit.repeat(400);
            let singles: Vec<String> = text.chars().map(String::from).collect();
            assert_eq!(streamed(&rules, singles.iter().map(String::as_str)), whole(&rules, &text), "{unit:?}");
        }
    }
}

#[test]
fn clean_prose_is_held_back_by_a_word_at_most() {
    let mut masker = Masker::new(&both_rules()[0]);
    let mut out = String::new();
    masker.push("The parcel of 2024 arrived. Hello wor", &mut out);
    assert_eq!(out, "The parcel of 2024 arrived. Hello ");
    masker.push("ld, ", &mut out);
    assert_eq!(masker.held(), "");
}

#[test]
fn an_address_after_an_endless_run_is_found() {
    for run in [63, 64, 65, 200, 1000] {
        let text = format!("{}asha@example.com", "-".repeat(run));
        assert!(!replaced(&text).contains("asha"), "{run}");
        let text = format!("{}@example.com", "a".repeat(run));
        let left = "a".repeat(run.saturating_sub(64));
        assert_eq!(replaced(&text), format!("{left}[EMAIL]"));
    }
    assert_eq!(replaced("asha@x.com-9876543210"), "[EMAIL]-[PHONE]");
    let long_domain = format!("asha@{}com", "sub.".repeat(100));
    assert!(replaced(&long_domain).starts_with("[EMAIL]"));
}

/// Parts that values are made of, whole values, and what stands around them.
#[rustfmt::skip]
const PARTS: &[&str] = &[
    "9876543210", "98765", "43210", "8763 4538 0680", "876345380680", "0680", "+91", "91", "0", "(", ")", "+", "-",
    " ", "  ", ".", ",", "@", "a", "_", "asha", "example.com", ".com", "IVWAG7475N", "IVWAG", "7475N", "X", "\n",
    "\u{200B}", "९८७६५", "é", "–", "git", "git@h.com", ":", "415-480-5336", "/",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "[", "xn--p1ai", "27AAPFU0939F1ZV", "27",
    "AAPFU0939F", "1ZV", "SBIN0001234", "SBIN", "0001234", "asha@okaxis", "okaxis", "ABC1234567", "ABC", "1234567",
    "P1234567", "P ", "TS25WU1850", "TS ", "25 ", "WU ", "1850", "22 BH 3765 F", "KL-07-CD-1234", "RJ18 1998 0172606",
    "RJ18 ", "1998 ", "0172606", "4242 4242 4242 4242", "4242424242424242", "4242 ", "4242", "378282246310005",
    "DE89 3704 0044 0532 0130 00", "DE89370400440532013000", "DE89 ", "3704 ", "123-45-6789", "123 45 6789",
    "192.168.10.1", "10.0", "fe80::1", "2001:db8::", "::", "1.2.3.4", "phone ", "aadhaar ", "pan: ", "passport ",
    "voter id ", "order no ", "account ", "card ", "dl ", "car ", "ssn ", "ip ", "v", "version ", "is my passport",
    " (EPIC)", "password=", "token: \"", "\"", "'", "api_key=", "Bearer ", "hunter2Hunter2", "f3a9c27d51e84b60",
    "://", "https://u:", "pw12@", "host", "eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIx", ".", "-----", "BEGIN ", "END ",
    "PRIVATE KEY", "MIIEvAIBADAN", "id,phone,passport\n", "1,", "| sku | aadhaar |\n", "|",
    "INSERT INTO t (phone, ssn) VALUES (", "', '", "XXXX", "XXXX XXXX ", "[PHONE]", "[SECRET]", "फोन ", "आधार ",
    "आदेश", "₹", "#", "$", "%40", "=", "!", "\t", ";", "\\n",
];

/// The parts, with tokens that are put together here, so that no scanner takes this file for a leak.
fn parts() -> Vec<String> {
    let tokens = [
        ("AK", "IAIOSFODNN7EXAMPLE"),
        ("gh", "p_CZaY30eLyd3rH2MSnap4azCw4oMq2X2rlN9e"),
        ("sk", "-ant-api03-YV7ELJ715_s82tAVVCt"),
        ("AK", "IA"),
        ("gh", "p_"),
    ];
    PARTS.iter().map(|p| (*p).to_owned()).chain(tokens.iter().map(|(a, b)| format!("{a}{b}"))).collect()
}

/// Text made of the parts that values are made of.
fn near_misses() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(parts()), 0..12).prop_map(|p| p.concat())
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let action = prop::option::of(prop_oneof![
        3 => Just(Action::Replace),
        1 => Just(Action::Block),
        1 => Just(Action::Report),
        3 => (0usize..14).prop_map(|keep_last| Action::Mask { keep_last }),
    ]);
    prop::collection::vec(action, PiiType::ALL.len()).prop_map(|actions| {
        let set = PiiType::ALL.into_iter().zip(actions);
        let kinds =
            set.filter_map(|(kind, action)| Some(Wanted { kind, action: action?, threshold: THRESHOLD_PERCENT }));
        Rules::compile(&DetectorConfig { kinds: kinds.collect(), ..DetectorConfig::default() }).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_masked_stream_is_the_masked_whole(text in near_misses(), rules in any_rules(), hashed: u16, cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let expected = whole_by(&rules, &text, hashed);
        let singles: Vec<String> = text.chars().map(String::from).collect();
        prop_assert_eq!(&streamed_by(&rules, hashed, singles.iter().map(String::as_str)), &expected);
        let mut places: Vec<usize> = cuts.iter().map(|c| c.index(singles.len() + 1)).collect();
        places.sort_unstable();
        let (mut pieces, mut from) = (Vec::new(), 0);
        for place in places.into_iter().chain([singles.len()]) {
            pieces.push(singles[from..place].concat());
            from = place;
        }
        prop_assert_eq!(&streamed_by(&rules, hashed, pieces.iter().map(String::as_str)), &expected);
    }

    #[test]
    fn masking_twice_is_masking_once(text in near_misses(), rules in any_rules(), hashed: u16) {
        let is_local = |c: char| c.is_ascii_alphanumeric() || "._%+-'\u{200B}".contains(c);
        if text.split(|c| !is_local(c)).any(|run| run.chars().count() > 64) {
            return Ok(());
        }
        let once = whole_by(&rules, &text, hashed);
        prop_assert_eq!(whole_by(&rules, &once, hashed), once);
    }

    #[test]
    fn any_text_at_all_is_masked_without_harm(text in any::<String>(), rules in any_rules(), hashed: u16) {
        let once = whole_by(&rules, &text, hashed);
        prop_assert_eq!(whole_by(&rules, &once, hashed), once);
    }
}
