//! Random edits of small repositories, each compared with a clean `go build`.
//!
//! For every main package the closure is computed, and a binary is looked up by the
//! names and contents of its files, as BuildKit does it; if there is none, it is
//! built in a directory that holds the closure and nothing else. It must be the
//! binary that `go build` makes of the whole repository: a file that a closure
//! misses shows as a binary that is stale or that cannot be built. And `affected`
//! must name every main package whose binary an edit changed.
//!
//! A run is told by its seed. `cargo xtask random --steps 5000 --seed 7` runs more
//! than the tests do.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod check;
mod edits;
mod repository;
#[path = "../shared/rng.rs"]
mod rng;

use check::Check;
use repository::Repository;
use rng::Rng;

/// Edits of one repository before the next one is made.
const EDITS: u64 = 20;

/// Edits of a run of the tests, and their seed.
const STEPS: u64 = 60;
const SEED: u64 = 1;

#[test]
fn no_edit_leaves_a_stale_binary() {
    let steps = setting("GOFLEET_RANDOM_STEPS", STEPS);
    let seed = setting("GOFLEET_RANDOM_SEED", SEED);
    eprintln!("{steps} steps, seed {seed}");
    let mut check = Check::new();
    for first in (0..steps).step_by(usize::try_from(EDITS).unwrap()) {
        // Of its own seed, so that a failure is found again without what came before.
        let mut rng = Rng::new(seed + first / EDITS);
        let mut repository = Repository::new(&mut rng);
        check.start(&repository);
        let mut undo = None;
        for _ in first..steps.min(first + EDITS) {
            let before = (repository.files.clone(), check.failing());
            let edit = match undo.take() {
                Some(files) => {
                    repository.files = files;
                    "taking it back".to_owned()
                }
                None => edits::edit(&mut repository, &mut rng),
            };
            let checked = check.step(&repository);
            // Else most of the time would go to repositories that do not build.
            if check.failing() > before.1 && !rng.one_in(4) {
                undo = Some(before.0);
            }
            if let Err(problem) = checked {
                panic!(
                    "seed {}, in a new repository: after `{edit}`: {problem}\n{}",
                    seed + first / EDITS,
                    check.summary()
                );
            }
        }
    }
    eprintln!("{}", check.summary());
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}
