//! Replies that give the system prompt away: what is done with one.

use crate::units::Secret;

/// Protection of the system prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptLeak {
    /// What happens with a reply that gives it away.
    pub action: PromptLeakAction,
    /// A word of the system prompt that must never come back; 8 to 128 bytes.
    pub canary: Option<Secret>,
}

/// What happens with a reply that gives the system prompt away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptLeakAction {
    /// Withhold it; end a stream.
    Block,
    /// Count it.
    Report,
}
