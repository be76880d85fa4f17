//! libFuzzer's program for the target `personal_data`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| raptorgate_tests::fuzz::run("personal_data", data));
