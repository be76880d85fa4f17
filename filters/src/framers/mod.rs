//! Bounded, sans-io framers: each reads bytes cut anywhere and gives whole parts.

pub mod json;
pub mod json_lines;
pub mod sse;
pub mod text;
