//! How many values were found.

use super::Kind;
use raptorgate_config::model::PiiType;

/// How many values were found, by type, and whether one of them asks for a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: [u32; PiiType::ALL.len()],
    /// Values of patterns of one's own.
    pub own: u32,
    /// A value with [`super::Action::Block`] was found; it was replaced by its type's name meanwhile.
    pub blocked: bool,
}

impl Tally {
    /// Types found, with their number.
    pub fn found(&self) -> impl Iterator<Item = (PiiType, u32)> {
        PiiType::ALL.into_iter().zip(self.counts).filter(|(_, count)| *count > 0)
    }

    /// True if nothing was found.
    pub fn is_empty(&self) -> bool {
        self.own == 0 && self.counts.iter().all(|count| *count == 0)
    }

    /// Adds what was found elsewhere.
    pub fn add(&mut self, other: &Tally) {
        self.counts.iter_mut().zip(other.counts).for_each(|(mine, theirs)| *mine = mine.saturating_add(theirs));
        self.own = self.own.saturating_add(other.own);
        self.blocked |= other.blocked;
    }

    pub(super) fn count(&mut self, kind: Kind) {
        match kind {
            Kind::Type(kind) => {
                if let Some(count) = self.counts.get_mut(kind as usize) {
                    *count = count.saturating_add(1);
                }
            }
            Kind::Own(_) => self.own = self.own.saturating_add(1),
        }
    }
}
