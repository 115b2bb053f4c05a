//! Fifty targets of a bake file, and nothing changed: what it costs that every target is
//! a solve of its own, with a frontend of its own.

use anyhow::Result;

use super::contestant::{Ask, Contestant};
use super::ground::Ground;
use super::options::Options;
use super::rounds::{Outcomes, finish, note, record, sides};
use super::scenario::Scenario;
use super::subject::Subject;

/// Targets.
pub(super) const TARGETS: usize = 50;

/// Those that use a bake file.
const CONTESTANTS: [Contestant; 4] = [
    Contestant::PerService,
    Contestant::OneStep,
    Contestant::FleetBake,
    Contestant::FleetHand,
];

/// Builds once, and then measures as many builds as there are rounds, and two more:
/// they are short.
///
/// # Errors
///
/// The machine fails.
pub(super) fn run(
    ground: &Ground,
    options: &Options,
    frontend: &str,
) -> Result<(Subject, Outcomes)> {
    let subject = Subject::many(ground.dir.join("many"), TARGETS, frontend)?;
    let wanted: Vec<Contestant> = CONTESTANTS
        .into_iter()
        .filter(|one| options.contestants.contains(one))
        .collect();
    let mut sides = sides(ground, &subject, &wanted, frontend)?;
    let mut outcomes = Outcomes::new();
    for side in &mut sides {
        // One alone first: fifty builds side by side would each compile the standard library.
        let one = Ask {
            target: Some(&subject.services[0].name),
            ..Ask::default()
        };
        side.take(ground, &subject, one, &ground.daemon)?.ok();
        let first = side.take(ground, &subject, Ask::default(), &ground.daemon)?;
        note(side.contestant, Scenario::Cold, &subject, &first);
    }
    for _ in 0..options.rounds + 2 {
        for side in &mut sides {
            let outcome = side.take(ground, &subject, Ask::default(), &ground.daemon)?;
            note(side.contestant, Scenario::Nothing, &subject, &outcome);
            record(&mut outcomes, Scenario::Nothing, side.contestant, outcome);
        }
    }
    finish(ground, sides)?;
    Ok((subject, outcomes))
}
