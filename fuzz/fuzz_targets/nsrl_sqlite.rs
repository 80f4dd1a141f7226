#![no_main]

use hashward_list::format::Format;

libfuzzer_sys::fuzz_target!(|file: &[u8]| hashward_fuzz::read(file, Some(Format::NsrlSqlite)));
