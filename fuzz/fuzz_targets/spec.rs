//! Any bytes as a spec: parsed, planned and rendered.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/exercise.rs"]
mod exercise;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        exercise::exercise(text);
    }
});
