//! What the file may hold about what a route is for.

use crate::decode::{At, FromText, Map, Wrong};
use crate::model::{Purpose, PurposeAction};
use crate::shape::{block, words};
use crate::values::Name;
use serde_json::{Value as Json, json};

block! {
    /// What a route is for, told by examples; what is asked for something else can be refused.
    pub(crate) struct PurposeBlock {
        /// Two to sixteen kinds of requests, by name; at least one of them allowed. At most 2,000 examples together.
        labels: At<Map<Name, PurposeLabelBlock>> = required,
        /// Refuse and tell nothing: count what would have been found.
        shadow: bool = default("false"),
    }
}

block! {
    /// One kind of requests.
    pub(crate) struct PurposeLabelBlock {
        /// Texts as users write them, at least three; twenty or more, in different words and in all languages that are spoken, are better.
        examples: At<Vec<Example>> = required,
        /// What happens with a request of this kind.
        action: PurposeAction = default("allow"),
    }
}

/// One text.
#[derive(Clone, Debug)]
pub(crate) struct Example(pub String);

impl FromText for Example {
    const LABEL: &'static str = "an example";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        if text.trim().is_empty() {
            return Err(Wrong::because("it is empty"));
        }
        if text.len() > Purpose::EXAMPLE_BYTES_MAX {
            return Err(
                Wrong::because("it is longer than 4096 bytes").help("what a text is for is told in its beginning")
            );
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "maxLength": Purpose::EXAMPLE_BYTES_MAX })
    }
}

words!(PurposeAction {
    "allow" => PurposeAction::Allow, "this is what the route is for";
    "block" => PurposeAction::Block, "403 `off_purpose`";
    "flag" => PurposeAction::Flag, "pass it on, and tell the upstream: `x-raptorgate-purpose: general_coding`";
    "report" => PurposeAction::Report, "pass it on, and count";
});
