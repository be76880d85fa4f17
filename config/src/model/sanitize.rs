//! Attempts to talk a model out of its instructions: from when on a text is one, and what is done with it.

/// Prompt sanitization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sanitize {
    /// What users say.
    pub user: Judged,
    /// What tools answered and documents hold.
    pub tools: Judged,
    /// Nothing is changed or refused.
    pub shadow: bool,
}

/// How texts of one source are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What happens with a finding.
    pub action: SanitizeAction,
    /// Score in percent from which on a text counts as an attack.
    pub threshold_percent: u8,
}

/// What happens with a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SanitizeAction {
    /// Cut the finding out, again until nothing is found.
    Strip,
    /// Refuse the request.
    Block,
    /// Put the text between marks, without the force of template tokens and role markers.
    Neutralise,
    /// Tell the upstream.
    Flag,
    /// Count it.
    Report,
}

impl SanitizeAction {
    /// Its name in the configuration, in metrics and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Strip => "strip",
            Self::Block => "block",
            Self::Neutralise => "neutralise",
            Self::Flag => "flag",
            Self::Report => "report",
        }
    }
}
