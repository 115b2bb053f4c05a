//! All contestants through all scenarios, in turn: the machine is not the same from
//! minute to minute, so those that are compared run beside each other.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::contestant::{Ask, Contestant, Place};
use super::ground::Ground;
use super::measure::{Digests, Outcome, measure, same};
use super::options::Options;
use super::scenario::Scenario;
use super::subject::Subject;
use super::worktree::Worktree;
use super::{fresh, word};
use crate::engine::Beside;
use crate::run::say;

/// Everything that was measured of a repository.
pub(super) type Outcomes = BTreeMap<(Scenario, Contestant), Vec<Outcome>>;

/// A contestant at work on one repository.
pub(super) struct Side {
    pub(super) contestant: Contestant,
    pub(super) tree: Worktree,
    dir: PathBuf,
    namespace: String,
    /// Of the images of its last build.
    pub(super) digests: Digests,
}

impl Side {
    fn new(
        ground: &Ground,
        subject: &Subject,
        contestant: Contestant,
        frontend: &str,
    ) -> Result<Self> {
        let dir = ground.dir.join("work").join(contestant.key());
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        let word = word();
        let namespace = format!("compare-{word}-{}", contestant.key());
        let tree = Worktree::new(subject, dir.join("src"), word)?;
        subject.set_frontend(tree.root(), frontend)?;
        let side = Self {
            contestant,
            tree,
            dir,
            namespace,
            digests: Digests::new(),
        };
        contestant.write_files(subject, &side.place())?;
        Ok(side)
    }

    pub(super) fn place(&self) -> Place<'_> {
        Place {
            tree: self.tree.root(),
            dir: &self.dir,
            namespace: &self.namespace,
        }
    }

    /// Has its frontend and its modules at hand.
    fn prepare(&mut self, ground: &Ground, subject: &Subject) -> Result<()> {
        if self.contestant.in_daemon() {
            ground.pull_frontend(self.contestant, subject, &self.place())?;
        }
        // There and back: both versions.
        for _ in 0..2 {
            if let Some((module, versions)) = subject.bump {
                self.tree.bump(module, versions)?;
            }
            if self.contestant.in_daemon() {
                ground.modules(self.contestant, subject, &self.place())?;
            } else {
                ground.host_modules(subject, self.tree.root())?;
            }
            if subject.bump.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// One build after `scenario`.
    fn run(&mut self, ground: &Ground, subject: &Subject, scenario: Scenario) -> Result<Outcome> {
        scenario.edit(subject, &mut self.tree)?;
        if scenario.is_cold() {
            ground.empty_build_cache(self.contestant, &self.place())?;
        }
        let ask = Ask {
            platforms: scenario == Scenario::Platforms,
            only: scenario.only(subject),
            ..Ask::default()
        };
        self.take(ground, subject, ask, &ground.daemon)
    }

    /// Builds on `daemon`, and compares the images with those before.
    pub(super) fn take(
        &mut self,
        ground: &Ground,
        subject: &Subject,
        ask: Ask<'_>,
        daemon: &Beside,
    ) -> Result<Outcome> {
        let place = self.place();
        let mut commands = self.contestant.build(ground, subject, &place, ask);
        let mut pid = None;
        if self.contestant.in_daemon() {
            pid = daemon.pid();
            for one in &mut commands {
                daemon.engine.apply(&mut one.command);
            }
        }
        let (mut outcome, digests) = measure(commands, place.dir, pid)?;
        if let Ok(measurement) = &mut outcome {
            measurement.same = same(&self.digests, &digests);
            self.digests = digests;
        }
        Ok(outcome)
    }
}

/// Runs all rounds.
///
/// # Errors
///
/// The machine fails, or modules cannot be had. Builds that fail are outcomes.
pub(super) fn run(
    ground: &Ground,
    subject: &Subject,
    options: &Options,
    frontend: &str,
) -> Result<Outcomes> {
    let mut outcomes = Outcomes::new();
    let mut sides = sides(ground, subject, &options.contestants, frontend)?;
    let mut scenarios = options.scenarios.clone();
    if options.platforms {
        scenarios.push(Scenario::Platforms);
    }
    scenarios.retain(|scenario| scenario.possible(subject));
    for round in 0..options.rounds {
        // Nobody is always the first.
        let first = round % sides.len();
        sides.rotate_left(first);
        for scenario in &scenarios {
            for side in &mut sides {
                let outcome = side.run(ground, subject, *scenario)?;
                note(side.contestant, *scenario, subject, &outcome);
                record(&mut outcomes, *scenario, side.contestant, outcome);
            }
            // Between measurements, so that it is part of none.
            ground.tidy()?;
        }
        if options.fresh {
            for side in &mut sides {
                if let Some(outcome) = fresh::run(ground, subject, side)? {
                    note(side.contestant, Scenario::Fresh, subject, &outcome);
                    record(&mut outcomes, Scenario::Fresh, side.contestant, outcome);
                }
            }
        }
    }
    finish(ground, sides)?;
    Ok(outcomes)
}

/// Gives every contestant its copy and its modules.
pub(super) fn sides(
    ground: &Ground,
    subject: &Subject,
    contestants: &[Contestant],
    frontend: &str,
) -> Result<Vec<Side>> {
    let mut sides = Vec::new();
    for contestant in contestants {
        say(format!("modules for {}", contestant.key()));
        let mut side = Side::new(ground, subject, *contestant, frontend)?;
        side.prepare(ground, subject)?;
        sides.push(side);
    }
    Ok(sides)
}

/// Gives the disk back.
pub(super) fn finish(ground: &Ground, sides: Vec<Side>) -> Result<()> {
    for side in sides {
        ground.empty_build_cache(side.contestant, &side.place())?;
        fs::remove_dir_all(&side.dir)?;
    }
    Ok(())
}

pub(super) fn record(
    outcomes: &mut Outcomes,
    scenario: Scenario,
    contestant: Contestant,
    outcome: Outcome,
) {
    outcomes
        .entry((scenario, contestant))
        .or_default()
        .push(outcome);
}

/// Says how far it is.
pub(super) fn note(
    contestant: Contestant,
    scenario: Scenario,
    subject: &Subject,
    outcome: &Outcome,
) {
    let what = match outcome {
        Ok(one) => format!("{:.1} s, {:.1} s of processors", one.wall, one.cpu),
        Err(why) => format!("failed: {why}"),
    };
    say(format!(
        "{}: {}: {what}",
        scenario.title(subject),
        contestant.key()
    ));
}
