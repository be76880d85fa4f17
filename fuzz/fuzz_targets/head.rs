//! libFuzzer's program for the target `head`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| raptorgate_tests::fuzz::run("head", data));
