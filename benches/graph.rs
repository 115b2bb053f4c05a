//! What the frontend itself costs for the target `binaries` of `fleet.yaml` in a
//! directory: `cargo bench --bench graph -- DIR`. `cargo xtask bench sources` runs
//! it.
#![expect(clippy::print_stdout, reason = "a program: its answer belongs there")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use gofleet::local::Local;
use gofleet::scan::{Index, scan};

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    // Cargo passes a flag of its own.
    let words = std::env::args().skip(1);
    let Some(dir) = words.rev().find(|word| !word.starts_with('-')) else {
        return Ok(());
    };
    let dir = PathBuf::from(dir);
    let (scanning, index) = timed(|| scan(&dir, &[]));
    let json = serde_json::to_vec(&index?)?;
    let (parsing, parsed) = timed(|| serde_json::from_slice::<Index>(&json));
    parsed?;
    let local = Local::new(dir.join("fleet.yaml"), dir);
    let (lowering, lowered) = timed(|| local.lower(Some("binaries".to_owned())));
    let outputs = lowered?.into_iter().filter_map(|one| one.output);
    let (marshaling, definitions) =
        timed(|| outputs.map(|output| output.marshal()).collect::<Vec<_>>());
    let ops = definitions.iter().flat_map(|definition| &definition.def);
    let (count, bytes) = ops.fold((0, 0), |(n, sum), op| (n + 1, sum + op.len()));
    println!(
        "{count} ops of {bytes} bytes; index of {} bytes; scan {} ms, its index read {} ms, \
         spec to graph with a scan {} ms, marshal {} ms",
        json.len(),
        scanning.as_millis(),
        parsing.as_millis(),
        lowering.as_millis(),
        marshaling.as_millis(),
    );
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let done = work();
    (began.elapsed(), done)
}
