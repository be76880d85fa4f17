//! libFuzzer's program for the target `client_address`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| raptorgate_tests::fuzz::run("client_address", data));
