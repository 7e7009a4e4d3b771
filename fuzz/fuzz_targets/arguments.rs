#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| libcni_fuzz::arguments::holds(data));
