//! What must hold for any bytes at all, one function a target: libFuzzer calls them (`make fuzz`), and so does
//! `tests/tests/fuzz_corpora.rs` on a stable toolchain.
//!
//! A target panics when its law is broken, and has no other result. docs/fuzzing.md tells how to run and add one.
//!
//! # Invariants
//! * Every target has a corpus in `fuzz/corpus` and a program in `fuzz/fuzz_targets`
//!   (`every_target_has_a_program_and_a_corpus`).

mod addresses;
mod codings;
mod configuration;
pub mod cuts;
mod framers;
mod http1;
mod http2;
mod injections;
pub mod mutation;
mod personal_data;

/// One law and its name.
#[derive(Clone, Copy)]
pub struct Target {
    /// Names its corpus and its program.
    pub name: &'static str,
    /// Panics if the law does not hold for these bytes.
    pub run: fn(&[u8]),
}

/// All of them, by name.
pub const TARGETS: [Target; 16] = [
    Target { name: "chunks", run: http1::chunks },
    Target { name: "client_address", run: addresses::client_address },
    Target { name: "codings", run: codings::codings },
    Target { name: "configuration", run: configuration::configuration },
    Target { name: "frames", run: http2::frames },
    Target { name: "head", run: http1::head },
    Target { name: "host", run: addresses::host },
    Target { name: "injections", run: injections::injections },
    Target { name: "json", run: framers::json },
    Target { name: "json_lines", run: framers::json_lines },
    Target { name: "messages", run: http1::messages },
    Target { name: "path", run: addresses::path },
    Target { name: "personal_data", run: personal_data::personal_data },
    Target { name: "proxy_header", run: addresses::proxy_header },
    Target { name: "sse", run: framers::sse },
    Target { name: "units", run: configuration::units },
];

/// Runs the target of this name; panics if there is none, or its law is broken.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("no fuzz target is called {name}")).run)(data);
}
