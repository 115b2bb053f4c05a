//! Any text as a `go.mod` or `go.work`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| gofleet::fuzzing::manifest(text));
