//! The program; everything is in the library, so that tests and the demo use the same code.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    raptorgate::cli::main()
}
