//! What a route is for.

/// Kinds of requests, told by examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purpose {
    /// In the order of the file; at least two, one of them allowed.
    pub labels: Vec<PurposeLabel>,
    /// Nothing is refused or told.
    pub shadow: bool,
}

impl Purpose {
    /// Most labels.
    pub const LABELS_MAX: usize = 16;
    /// Fewest examples of one label.
    pub const EXAMPLES_MIN: usize = 3;
    /// Most examples of all labels together.
    pub const EXAMPLES_MAX: usize = 2_000;
    /// Longest example.
    pub const EXAMPLE_BYTES_MAX: usize = 4_096;
}

/// One kind of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurposeLabel {
    /// Its name.
    pub name: String,
    /// At least three.
    pub examples: Vec<String>,
    /// What happens with a request of this kind.
    pub action: PurposeAction,
}

/// What happens with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurposeAction {
    /// It is what the route is for.
    Allow,
    /// It is refused.
    Block,
    /// It passes, and the upstream is told.
    Flag,
    /// It passes and is counted.
    Report,
}

impl PurposeAction {
    /// As the file writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Block => "block",
            Self::Flag => "flag",
            Self::Report => "report",
        }
    }
}
