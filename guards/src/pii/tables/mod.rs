//! Lists of published codes: payment handles, banks, states, calling codes, file endings.

pub(super) mod banks;
pub(super) mod handles;
pub(super) mod prefixes;
pub(super) mod states;
