//! What can be told to the detector: actions, thresholds, allowed values, patterns of one's own, tokens; and long secrets.

use raptorgate_config::model::PiiType;
use raptorgate_guards::pii::{
    Action, DetectorConfig, Entity, Kind, LOOK_BYTES_MAX, Masker, OwnPattern, Rules, RulesError, Tally, Tokens, Wanted,
    canonical, find, placeholder, to_code_points,
};

fn wanted(kind: PiiType, action: Action, threshold: u8) -> Wanted {
    Wanted { kind, action, threshold }
}

fn own(name: &str, pattern: &str) -> OwnPattern {
    OwnPattern { name: name.to_owned(), pattern: pattern.to_owned(), action: Action::Replace }
}

fn masked(rules: &Rules, text: &str) -> String {
    Masker::whole(rules, text, &mut Tally::default()).unwrap_or_else(|| text.to_owned())
}

/// The text in single characters; fails if more is held back than promised.
fn streamed(rules: &Rules, text: &str) -> String {
    let (mut masker, mut out) = (Masker::new(rules), String::new());
    for c in text.chars() {
        masker.push(c.encode_utf8(&mut [0; 4]), &mut out);
        assert!(masker.held().len() <= LOOK_BYTES_MAX + 4, "{} bytes are held", masker.held().len());
    }
    masker.finish(&mut out);
    out
}

#[test]
fn own_patterns_do_not_see_cuts() {
    let config = DetectorConfig {
        kinds: vec![wanted(PiiType::Phone, Action::Replace, 50)],
        own: vec![own("employee", r"\bEMP-\d{4,6}\b"), own("room", r"(?i)room \d{1,3}")],
        ..DetectorConfig::default()
    };
    let rules = Rules::compile(&config).unwrap();
    for (text, expected) in [
        ("EMP-12345 sits in Room 12, call 9876543210.", "[EMPLOYEE] sits in [ROOM], call [PHONE]."),
        ("XEMP-12345 EMP-1234567 EMP-123", "XEMP-12345 EMP-1234567 EMP-123"),
        ("EMP-1234", "[EMPLOYEE]"),
        ("9876543210 EMP-1234 9876543210", "[PHONE] [EMPLOYEE] [PHONE]"),
    ] {
        assert_eq!(masked(&rules, text), expected);
        assert_eq!(streamed(&rules, text), expected);
        assert_eq!(masked(&rules, expected), expected);
    }
}

#[test]
fn own_patterns_without_bound_are_refused() {
    let compile = |pattern: &str| {
        Rules::compile(&DetectorConfig { own: vec![own("x", pattern)], ..DetectorConfig::default() }).map(|_| ())
    };
    assert!(compile("a{1,100}").is_ok());
    assert!(matches!(compile("a+"), Err(RulesError::Unbounded { .. })));
    assert!(matches!(compile("a{200}"), Err(RulesError::Unbounded { .. })));
    assert!(matches!(compile("a?"), Err(RulesError::Empty { .. })));
    assert!(matches!(compile("("), Err(RulesError::Pattern { .. })));
}

#[test]
fn allowed_values_stay() {
    let config = DetectorConfig {
        kinds: vec![wanted(PiiType::Email, Action::Replace, 50), wanted(PiiType::IpAddress, Action::Replace, 50)],
        allow: vec!["Help@Example.com".to_owned(), "@acme.in".to_owned(), "127.0.0.1".to_owned()],
        ..DetectorConfig::default()
    };
    let rules = Rules::compile(&config).unwrap();
    let text = "help@example.com, asha@acme.in, asha@example.com, 127.0.0.1, 10.1.2.3";
    assert_eq!(masked(&rules, text), "help@example.com, asha@acme.in, [EMAIL], 127.0.0.1, [IP_ADDRESS]");
    assert_eq!(streamed(&rules, text), masked(&rules, text));
}

#[test]
fn a_threshold_asks_for_more_certainty() {
    let rules = |threshold| {
        let kinds = vec![wanted(PiiType::Phone, Action::Replace, threshold)];
        Rules::compile(&DetectorConfig { kinds, ..DetectorConfig::default() }).unwrap()
    };
    assert_eq!(masked(&rules(50), "so 9876543210 then"), "so [PHONE] then");
    assert_eq!(masked(&rules(90), "so 9876543210 then"), "so 9876543210 then");
    assert_eq!(masked(&rules(90), "call 9876543210 then"), "call [PHONE] then");
    assert_eq!(masked(&rules(10), "order no 9876543210"), "order no [PHONE]");
}

#[test]
fn a_placeholder_with_a_digest_is_one_for_whoever_masks_again() {
    let rules = Rules::all(Action::Replace);
    assert_eq!(
        canonical("+91 98765-43210"),
        canonical("+91\u{a0}९८७६५ ४३२१०"),
        "equal values, however they are written"
    );
    let placeholder = placeholder("PHONE", &[0x0f; 32]);
    assert_eq!(placeholder, "[PHONE:apapapapapapapa]");
    for text in [placeholder.clone(), format!("{placeholder}9876543210"), format!("a.b@x.in{placeholder}")] {
        let once = masked(&rules, &text);
        assert_eq!(masked(&rules, &once), once, "{text}");
        assert!(once.contains(&placeholder), "{once}");
    }
}

#[test]
fn what_is_reported_stays() {
    let mut tally = Tally::default();
    let text = "asha@example.com, 9876543210";
    assert_eq!(Masker::whole(&Rules::all(Action::Report), text, &mut tally).unwrap(), text);
    assert_eq!(tally.found().collect::<Vec<_>>(), [(PiiType::Email, 1), (PiiType::Phone, 1)]);
}

#[test]
fn tokens_stand_where_names_would() {
    struct Numbered(usize);
    impl Tokens for Numbered {
        fn token(&mut self, kind: Kind, value: &str) -> Option<String> {
            assert_eq!((kind, value), (Kind::Type(PiiType::Phone), "98765 43210"));
            self.0 += 1;
            Some(format!("<<phone {}>>", self.0))
        }
    }
    let kinds = vec![wanted(PiiType::Phone, Action::Replace, 50)];
    let rules = Rules::compile(&DetectorConfig { kinds, ..DetectorConfig::default() }).unwrap();
    let (mut masker, mut out, mut tokens) = (Masker::new(&rules), String::new(), Numbered(0));
    masker.push_with("call 98765 43", &mut out, &mut tokens);
    masker.push_with("210 now", &mut out, &mut tokens);
    masker.finish_with(&mut out, &mut tokens);
    assert_eq!(out, "call <<phone 1>> now");
}

#[test]
fn a_name_says_what_its_text_is() {
    let rules = Rules::all(Action::Replace);
    let named = |name: &str| Masker::whole_named(&rules, name, "K1234567", &mut Tally::default());
    assert_eq!(named("passport_no").as_deref(), Some("[PASSPORT]"));
    assert_eq!(named("sku"), None);
}

#[test]
fn long_secrets_are_not_held_back() {
    let rules = Rules::all(Action::Replace);
    let body = "MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQC7VJTUt9Us8cKj\n".repeat(20);
    let (dashes, word) = ("-----", "PRIVATE KEY");
    let block = format!("{dashes}BEGIN {word}{dashes}\n{body}{dashes}END {word}{dashes}");
    let token = format!("{}.{}.{}", "eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIx".repeat(80), "c2lnbmF0dXJl".repeat(10));
    for (secret, before, after) in
        [(&block, "key:\n", "\nmore"), (&token, "Bearer ", " and 9876543210"), (&token, "x ", ".")]
    {
        let text = format!("{before}{secret}{after}");
        let expected = format!("{before}[SECRET]{}", after.replace("9876543210", "[PHONE]"));
        assert_eq!(masked(&rules, &text), expected);
        assert_eq!(streamed(&rules, &text), expected);
        let found = find(&text, &rules)[0];
        assert_eq!(&text[found.start..found.end], secret.as_str());
    }
    let endless = format!("{dashes}BEGIN {word}{dashes}\n{}", "QUJD".repeat(10_000));
    assert!(streamed(&rules, &endless).len() > 20_000, "a key that never ends is over after some kilobytes");
}

#[test]
fn places_are_bytes_or_code_points() {
    let text = "फोन ९८७६५४३२१०, asha@example.com";
    let found = find(text, &Rules::all(Action::Replace));
    let values: Vec<&str> = found.iter().map(|e| &text[e.start..e.end]).collect();
    assert_eq!(values, ["९८७६५४३२१०", "asha@example.com"]);
    let points: Vec<(usize, usize)> = to_code_points(text, &found).iter().map(|e: &Entity| (e.start, e.end)).collect();
    assert_eq!(points, [(4, 14), (16, 32)]);
}

#[test]
fn what_stands_around_a_value_is_read_in_many_forms() {
    let rules = Rules::all(Action::Replace);
    for (text, masked) in [
        (
            "<table><tr><th>Passport</th></tr><tr><td>K7955052</td></tr></table>",
            "<table><tr><th>Passport</th></tr><tr><td>[PASSPORT]</td></tr></table>",
        ),
        ("Le mot de passe est iS61Gn1n^qI15r81, merci.", "Le mot de passe est [SECRET], merci."),
        ("La contraseña es Felix*5669w#", "La contraseña es [SECRET]"),
        ("booking — 07789818553 (Imran)", "booking — [PHONE] (Imran)"),
        ("his number is 63 04 97 64 25.", "his number is [PHONE]."),
        ("Passeport indien n° N1997701, délivré", "Passeport indien n° [PASSPORT], délivré"),
        ("voter card number UOD3358884, please", "voter card number [VOTER_ID], please"),
        ("remote git@gitlab.acme.internal:platform/infra.git", "remote git@gitlab.acme.internal:platform/infra.git"),
        ("El número 3759 844007 57855 no pasa.", "El número 3759 844007 57855 no pasa."),
        ("Office hours 0900-1800", "Office hours 0900-1800"),
        (
            "using token ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "using token ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ),
    ] {
        let out = Masker::whole(&rules, text, &mut Tally::default()).unwrap_or_else(|| text.to_owned());
        assert_eq!(out, masked);
    }
}
