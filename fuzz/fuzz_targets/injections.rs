//! libFuzzer's program for the target `injections`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| raptorgate_tests::fuzz::run("injections", data));
