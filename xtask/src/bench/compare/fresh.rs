//! A builder that was just made, as on a CI runner: it has nothing but a cache in the
//! registry that another builder left there, and one service was edited since.

use anyhow::Result;

use super::contestant::Ask;
use super::ground::Ground;
use super::measure::{Outcome, measure};
use super::rounds::Side;
use super::scenario::Scenario;
use super::subject::Subject;
use crate::engine::{Beside, Setup};

/// Exports the cache, edits, and builds on an empty daemon. `None`: the contestant knows
/// no such cache.
///
/// # Errors
///
/// The machine fails.
pub(super) fn run(ground: &Ground, subject: &Subject, side: &mut Side) -> Result<Option<Outcome>> {
    let cache = format!(
        "{}/compare/cache:{}",
        ground.registry,
        side.contestant.key()
    );
    let place = side.place();
    let Some(export) = side.contestant.export(ground, subject, &place, &cache) else {
        return Ok(None);
    };
    // What the export takes is the other machine's business.
    let (exported, _) = measure(vec![export], place.dir, None)?;
    if let Err(why) = exported {
        return Ok(Some(Err(format!("no cache was exported: {why}"))));
    }
    Scenario::Fresh.edit(subject, &mut side.tree)?;
    let daemon = Beside::start(
        &ground.daemon.engine,
        "compare-empty",
        &ground.dir.join("empty"),
        Setup::default(),
    )?;
    let ask = Ask {
        cache_from: Some(&cache),
        ..Ask::default()
    };
    let outcome = side.take(ground, subject, ask, &daemon)?;
    Ok(Some(outcome))
}
