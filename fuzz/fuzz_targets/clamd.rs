#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| hashward_fuzz::doors::clamd(input));
