//! What the file may hold about replies that give the system prompt away.

use crate::decode::{At, Context};
use crate::model::{PromptLeak, PromptLeakAction};
use crate::problem::{Code, Finding};
use crate::shape::{block, words};
use crate::units::Secret;

/// Shortest canary: a shorter one may come up by chance.
const CANARY_CHARS_MIN: usize = 8;

/// Longest canary: so many bytes of a reply are looked at together.
const CANARY_BYTES_MAX: usize = 128;

block! {
    /// Replies that give away the system prompt of their request: four runs of six words that both have, or a canary.
    pub(crate) struct PromptLeakBlock {
        /// What happens with such a reply.
        action: PromptLeakAction = default("block"),
        /// A secret word that you put into the system prompt, wherever that is written: 8 to 128 characters that no honest reply has. Case counts.
        canary: At<Secret> = optional,
    }
}

words!(PromptLeakAction {
    "block" => PromptLeakAction::Block, "the reply is withheld; a stream ends with an error event as soon as the leak is certain";
    "report" => PromptLeakAction::Report, "it is counted and left as it is";
});

/// Checks the canary where it stands.
pub(crate) fn check(block: &PromptLeakBlock, cx: &mut Context) {
    let Some(canary) = &block.canary else { return };
    let text = canary.value.reveal();
    let told = if text.chars().count() < CANARY_CHARS_MIN {
        "the canary is too short"
    } else if text.len() > CANARY_BYTES_MAX {
        "the canary is too long"
    } else {
        return;
    };
    let help = "8 to 128 characters that nobody writes by chance: `openssl rand -hex 16`";
    cx.tell(Finding::new(canary.at, Code::WrongValue, told).help(help));
}

pub(crate) fn prompt_leak(block: &PromptLeakBlock) -> PromptLeak {
    PromptLeak { action: block.action, canary: block.canary.as_ref().map(|canary| canary.value.clone()) }
}
