//! libFuzzer's program for the target `json_lines`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| raptorgate_tests::fuzz::run("json_lines", data));
