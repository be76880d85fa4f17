//! What the file may hold about personal data and secrets.

use crate::decode::{At, Context, Decode, FromText, Some1, Wrong};
use crate::model::{JsonPath, OwnPattern, PiiAction};
use crate::problem::{Code, Finding};
use crate::shape::{Shape, block, words};
use crate::units::Secret;
use crate::values::{Label, Name, Whole};
use crate::words::{decode_word, is_scalar};
use crate::yaml::Node;
use serde_json::{Value as Json, json};

/// Characters that stay readable unless the file says otherwise.
const KEEP_LAST: u64 = 4;

/// Certainty from which on a value counts, unless the file says otherwise.
pub(crate) const THRESHOLD_PERCENT: u8 = 50;

block! {
    /// Masking per direction; at least one type or pattern in one direction.
    pub(crate) struct MaskBlock {
        /// In requests.
        request: DirectionBlock = optional,
        /// In replies. `block` withholds a reply; a stream ends with an error event before the value.
        response: DirectionBlock = optional,
        /// Values that are never touched, in both directions: a whole value, or `@example.com` for all addresses there. Case makes no
        /// difference.
        allow: Vec<Label> = default("[]"),
        /// Patterns of your own.
        patterns: Some1<PatternBlock> = optional,
        /// Also in the query of a request, as in its body; secrets there are credentials of the call, and stay.
        query: bool = default("true"),
        /// Which parts of JSON requests are looked at; left out: all of them.
        json_paths: PathsBlock = optional,
        /// A secret of 32 characters or more for `hash` and `tokenize`: equal values become equal hashes and tokens as long as it stays
        /// the same. Each tenant's differ.
        key: At<Secret> = optional,
    }
}

block! {
    /// What is done with each type; types left out are not looked for.
    pub(crate) struct DirectionBlock {
        /// Every type that is not named here.
        all: MaskAction = optional,
        /// E-mail addresses. They are always replaced whole.
        email: MaskAction = optional,
        /// Phone numbers.
        phone: MaskAction = optional,
        /// Aadhaar numbers: 12 digits with a Verhoeff check digit; and the virtual IDs of 16 that stand for them.
        aadhaar: MaskAction = optional,
        /// Indian permanent account numbers.
        pan: MaskAction = optional,
        /// Indian goods and services tax numbers, with their check character.
        gstin: MaskAction = optional,
        /// Codes of Indian bank branches.
        ifsc: MaskAction = optional,
        /// UPI addresses for payments: `name@bank`. They are always replaced whole.
        upi: MaskAction = optional,
        /// Indian voters' cards (EPIC), where the words around say so.
        voter_id: MaskAction = optional,
        /// Indian passports, where the words around say so.
        passport: MaskAction = optional,
        /// Indian driving licences.
        driving_licence: MaskAction = optional,
        /// Registration marks of Indian vehicles.
        vehicle_reg: MaskAction = optional,
        /// Payment cards: Luhn check digit, ranges and lengths of the issuers.
        credit_card: MaskAction = optional,
        /// International bank account numbers, with their check digits.
        iban: MaskAction = optional,
        /// Social security numbers of the United States.
        us_ssn: MaskAction = optional,
        /// IPv4 and IPv6 addresses. They are always replaced whole.
        ip_address: MaskAction = optional,
        /// Keys, tokens, passwords and private keys. They are always replaced whole.
        secret: MaskAction = optional,
    }
}

block! {
    /// JSON paths (RFC 9535 without filters and slices): `$.messages[*].content`. What stands below is meant too.
    pub(crate) struct PathsBlock {
        /// Only here.
        only: Vec<JsonPath> = default("[]"),
        /// Not here.
        skip: Vec<JsonPath> = default("[]"),
    }
}

block! {
    /// A pattern of your own.
    pub(crate) struct PatternBlock {
        /// What stands in its place, in brackets and capital letters: `employee` gives `[EMPLOYEE]`. Unique in the block.
        name: At<Name> = required,
        /// A regular expression without look-around, which matches at most 120 bytes: `EMP-[0-9]{6}`.
        regex: At<BoundedRegex> = required,
        /// What is done with it.
        action: MaskAction = default("replace"),
        /// Where it is looked for.
        direction: Direction = default("both"),
    }
}

/// Where a pattern is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Both,
    Request,
    Response,
}

words!(Direction {
    "both" => Direction::Both, "in requests and replies";
    "request" => Direction::Request, "in requests";
    "response" => Direction::Response, "in replies";
});

/// A regular expression that matches something, and not more than may be held back of a stream.
#[derive(Clone, Debug)]
pub(crate) struct BoundedRegex(pub String);

impl FromText for BoundedRegex {
    const LABEL: &'static str = "a regular expression";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let parsed = regex_syntax::parse(text).map_err(|_| {
            Wrong::because("it cannot be read")
                .help("the syntax is that of the Rust crate `regex`, without look-around")
        })?;
        let properties = parsed.properties();
        match (properties.minimum_len(), properties.maximum_len()) {
            (None | Some(0), _) => {
                Err(Wrong::because("it matches the empty text").help("make it need at least one character"))
            }
            (_, Some(most)) if most <= OwnPattern::BYTES_MAX => Ok(Self(text.to_owned())),
            (_, _) => {
                Err(Wrong::because("it can match more than 120 bytes").help("bound its repetitions, such as `{1,40}`"))
            }
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "format": "regex" })
    }
}

/// A word (`mask`, `replace`, …), or a block that says more.
#[derive(Clone, Copy)]
pub(crate) struct MaskAction {
    pub action: PiiAction,
    pub threshold_percent: u8,
}

/// The words of `MaskAction`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum MaskWord {
    Mask,
    Replace,
    Hash,
    Tokenize,
    Block,
    Report,
}

words!(MaskWord {
    "mask" => MaskWord::Mask, "all but the last characters become `X`, separators stay";
    "replace" => MaskWord::Replace, "the type's name instead: `[AADHAAR]`";
    "hash" => MaskWord::Hash, "the type's name and a keyed hash, the same for the same value: `[AADHAAR:kjbnmpoa]`; needs `key`";
    "tokenize" => MaskWord::Tokenize, "in requests: as `hash`, and where the reply has it the client gets the value back; needs `key`";
    "block" => MaskWord::Block, "the request is refused, or the reply withheld";
    "report" => MaskWord::Report, "it is counted and left as it is";
});

block! {
    /// The long form of an action.
    pub(crate) struct MaskActionBlock {
        /// What is done.
        action: At<MaskWord> = required,
        /// Characters left readable, with `action: mask` only; 4 if left out.
        keep_last: At<Whole<0, 6>> = optional,
        /// Least certainty in percent from which on a value counts; 50 if left out. Numbers with a check digit and the word beside them are at
        /// 90 and more, bare ones at 50 to 70.
        threshold: Whole<1, 100> = optional,
    }
}

impl Decode for MaskAction {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        if is_scalar(node) {
            return Some(Self {
                action: action(decode_word(node, cx)?, KEEP_LAST),
                threshold_percent: THRESHOLD_PERCENT,
            });
        }
        let block = MaskActionBlock::decode(node, cx)?;
        if let Some(keep) = block.keep_last.as_ref().filter(|_| block.action.value != MaskWord::Mask) {
            cx.tell(Finding::new(keep.at, Code::Conflict, "`keep_last` says something only with `action: mask`"));
            return None;
        }
        let keep_last = block.keep_last.as_ref().map_or(KEEP_LAST, |keep| keep.value.0);
        let threshold = block.threshold.as_ref().and_then(|percent| u8::try_from(percent.0).ok());
        let threshold_percent = threshold.unwrap_or(THRESHOLD_PERCENT);
        Some(Self { action: action(block.action.value, keep_last), threshold_percent })
    }

    fn shape() -> Shape {
        Shape::Either(vec![MaskWord::shape(), MaskActionBlock::shape()])
    }
}

fn action(word: MaskWord, keep_last: u64) -> PiiAction {
    match word {
        MaskWord::Mask => PiiAction::Mask { keep_last: usize::try_from(keep_last).unwrap_or(0) },
        MaskWord::Replace => PiiAction::Replace,
        MaskWord::Hash => PiiAction::Hash,
        MaskWord::Tokenize => PiiAction::Tokenize,
        MaskWord::Block => PiiAction::Block,
        MaskWord::Report => PiiAction::Report,
    }
}
