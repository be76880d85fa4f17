//! Prints docs/configuration.md: `cargo run -p raptorgate-config --example reference > docs/configuration.md`.

fn main() {
    print!("{}", raptorgate_config::reference_markdown());
}
