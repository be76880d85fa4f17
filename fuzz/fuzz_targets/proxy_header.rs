//! libFuzzer's program for the target `proxy_header`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| raptorgate_tests::fuzz::run("proxy_header", data));
