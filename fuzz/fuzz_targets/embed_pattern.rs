//! Any pattern of an embed line on any file name, and any build constraint.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    gofleet::fuzzing::embed_pattern(input.0, input.1);
    gofleet::fuzzing::build_constraint(input.0);
});
