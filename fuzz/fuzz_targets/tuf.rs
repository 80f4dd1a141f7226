#![no_main]

libfuzzer_sys::fuzz_target!(|file: &[u8]| hashward_tuf::parse_any(file));
