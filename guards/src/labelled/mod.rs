//! How good a detector is, on lines whose values are known.

pub mod injection;
pub mod pii;

/// Share of what was found that was right, and of what is there that was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Found, and there.
    pub right: u64,
    /// Found, and not there.
    pub wrong: u64,
    /// There, and not found.
    pub missed: u64,
}

impl Counts {
    /// Share of what was found that was right; 1 if nothing was found.
    pub fn precision(self) -> f64 {
        ratio(self.right, self.right + self.wrong)
    }

    /// Share of what is there that was found; 1 if nothing is there.
    pub fn recall(self) -> f64 {
        ratio(self.right, self.right + self.missed)
    }

    /// The harmonic mean of both.
    pub fn f1(self) -> f64 {
        ratio(2 * self.right, 2 * self.right + self.wrong + self.missed)
    }
}

/// A share for people to read: no decision depends on it.
pub fn ratio(part: u64, whole: u64) -> f64 {
    // counts of lines, far below 2^53
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}
