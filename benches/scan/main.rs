//! How long a scan and the closures take: `cargo xtask bench scan`.
//!
//! The limit of a scan is a plain read of the same bytes by the same number of
//! threads, which knows all paths beforehand. Both are measured in turn, on files
//! that the system holds in memory; the best time of each counts, and their ratio
//! says more than either.
#![expect(clippy::print_stdout, reason = "a program: its answer belongs there")]

mod tree;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gofleet::closure::closure;
use gofleet::scan::scan;

/// As many threads as a scan has at most.
const MAX_THREADS: usize = 8;

/// Measurements of each; the best counts.
const ROUNDS: usize = 7;

fn main() -> io::Result<()> {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-scan");
    let files = tree::generate(&root)?;
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(MAX_THREADS);
    let (mut read_best, mut scan_best) = (Duration::MAX, Duration::MAX);
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        bytes = read_all(&files, threads);
        read_best = read_best.min(began.elapsed());
        let began = Instant::now();
        let index = scan(&root, &[])?;
        scan_best = scan_best.min(began.elapsed());
        assert_eq!(index.directories.len(), tree::PACKAGES + 1);
    }
    println!(
        "{} files, {} MB, {threads} threads",
        files.len(),
        bytes / 1_000_000
    );
    println!("plain read: {:>9.0} files/s", rate(files.len(), read_best));
    println!("scan:       {:>9.0} files/s", rate(files.len(), scan_best));
    let ratio = scan_best.as_secs_f64() / read_best.as_secs_f64();
    println!("a scan takes {ratio:.2} times as long as a plain read (goal: 2)");

    let index = scan(&root, &[])?;
    let began = Instant::now();
    let mains = index.suggestions();
    let closures = mains.iter().filter_map(|main| closure(main, &[], &index));
    let directories: usize = closures.map(|c| c.directories.len()).sum();
    let took = began.elapsed();
    println!(
        "closures of {} mains, {} packages each: {:.0} ms, {:.2} times a scan",
        mains.len(),
        directories / mains.len().max(1),
        took.as_secs_f64() * 1000.0,
        took.as_secs_f64() / scan_best.as_secs_f64()
    );
    let json = serde_json::to_vec(&index)?;
    println!(
        "index: {:.1} MB",
        rate(json.len(), Duration::from_secs(1)) / 1e6
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// Reads all files and forgets them; how many bytes there were.
fn read_all(files: &[PathBuf], threads: usize) -> usize {
    let next = AtomicUsize::new(0);
    let read = || {
        let mut buffer = Vec::new();
        let mut bytes = 0;
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            bytes += read(path, &mut buffer).unwrap_or_default();
        }
        bytes
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(read)).collect();
        workers.into_iter().filter_map(|w| w.join().ok()).sum()
    })
}

fn read(path: &Path, buffer: &mut Vec<u8>) -> io::Result<usize> {
    buffer.clear();
    File::open(path)?.read_to_end(buffer)
}
