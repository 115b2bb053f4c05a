//! Any bytes as a Go file, and as assembly or C.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| gofleet::fuzzing::go_file(bytes));
