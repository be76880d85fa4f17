//! (see next commit)
