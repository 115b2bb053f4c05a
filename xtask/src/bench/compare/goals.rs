//! What gofleet set out to reach, and whether a run reached it.

use std::fmt::Write as _;

use super::contestant::Contestant;
use super::measure::Measurement;
use super::rounds::Outcomes;
use super::scenario::Scenario;
use super::table::middle;

/// One goal in one repository.
#[derive(Debug, PartialEq)]
pub(super) struct Goal {
    /// What should be.
    text: String,
    /// What is.
    found: f64,
    reached: bool,
}

/// Seconds that a build may take on top of the host's for one service.
const START: f64 = 0.7;

/// The goals that a run says something about. Nothing that was not measured is in it.
pub(super) fn goals(outcomes: &Outcomes) -> Vec<Goal> {
    let get = |scenario, contestant| -> Option<Measurement> {
        middle(outcomes, scenario, contestant)?.ok()
    };
    let mut goals = Goals::default();
    use Contestant::{FleetBake, FleetHand, FleetOne, Host, OneStep, PerService};
    use Scenario::{Cold, Fresh, LeafSmall, Nothing, Shared};

    let fleets = [(FleetOne, "one solve"), (FleetBake, "bake file")];
    for (fleet, name) in fleets {
        let (one, host) = (get(Cold, fleet), get(Cold, Host));
        goals.at_most(
            &format!("cold, {name}: CPU ÷ host"),
            cpu(&one),
            cpu(&host),
            1.05,
        );
        goals.at_most(
            &format!("cold, {name}: CPU ÷ host, must"),
            cpu(&one),
            cpu(&host),
            1.10,
        );
        goals.at_most(
            &format!("cold, {name}: wall ÷ host"),
            wall(&one),
            wall(&host),
            1.10,
        );
    }
    goals.at_most(
        "cold, hand-written bake file: CPU ÷ host",
        cpu(&get(Cold, FleetHand)),
        cpu(&get(Cold, Host)),
        1.15,
    );
    for (fleet, name) in fleets {
        let one = wall(&get(Cold, fleet));
        let (per_service, one_step) = (wall(&get(Cold, PerService)), wall(&get(Cold, OneStep)));
        goals.at_least(
            &format!("cold: wall of a step per service ÷ {name}"),
            per_service,
            one,
            1.8,
        );
        goals.at_most(
            &format!("cold, {name}: wall ÷ one-step Dockerfile"),
            one,
            one_step,
            1.0,
        );
    }
    for (fleet, name) in fleets {
        let one = get(LeafSmall, fleet);
        let better = lower(
            cpu(&get(LeafSmall, PerService)),
            cpu(&get(LeafSmall, OneStep)),
        );
        let what = format!("small service: CPU of the better Dockerfile ÷ {name}");
        goals.at_least(&what, better, cpu(&one), 8.0);
        goals.at_least(&format!("{what}, must"), better, cpu(&one), 5.0);
        #[expect(clippy::cast_precision_loss, reason = "a handful of steps")]
        let builds = one
            .as_ref()
            .and_then(|one| one.builds)
            .map(|builds| builds as f64);
        goals.at_most(
            &format!("small service, {name}: build steps"),
            builds,
            Some(1.0),
            1.0,
        );
        let host = wall(&get(LeafSmall, Host));
        let over = wall(&one).zip(host).map(|(one, host)| one - host);
        goals.at_most(
            &format!("small service, {name}: seconds over the host"),
            over,
            Some(1.0),
            START,
        );
        let (shared, host) = (get(Shared, fleet), get(Shared, Host));
        goals.at_most(
            &format!("shared package, {name}: CPU ÷ host"),
            cpu(&shared),
            cpu(&host),
            1.15,
        );
        goals.at_most(
            &format!("shared package, {name}: wall ÷ host"),
            wall(&shared),
            wall(&host),
            1.15,
        );
        let same = lower(
            wall(&get(Nothing, PerService)),
            wall(&get(Nothing, OneStep)),
        );
        let what = format!("nothing changed, {name}: wall ÷ the faster Dockerfile");
        goals.at_most(&what, wall(&get(Nothing, fleet)), same, 1.0);
        let (step, all) = (get(Fresh, PerService), get(Fresh, OneStep));
        let fresh = get(Fresh, fleet);
        let what = format!("empty builder: of the better Dockerfile ÷ {name}");
        goals.at_least(
            &format!("{what}, CPU"),
            lower(cpu(&step), cpu(&all)),
            cpu(&fresh),
            4.0,
        );
        goals.at_least(
            &format!("{what}, wall"),
            lower(wall(&step), wall(&all)),
            wall(&fresh),
            3.0,
        );
    }
    goals.0
}

/// The goal of many targets.
pub(super) fn many(outcomes: &Outcomes) -> Vec<Goal> {
    let get = |contestant| wall(&middle(outcomes, Scenario::Nothing, contestant)?.ok());
    let mut goals = Goals::default();
    let dockerfile = lower(get(Contestant::PerService), get(Contestant::OneStep));
    for (fleet, name) in [
        (Contestant::FleetBake, "its bake file"),
        (Contestant::FleetHand, "hand-written bake file"),
    ] {
        let what = format!("many targets, nothing changed, {name}: wall ÷ the faster Dockerfile");
        goals.at_most(&what, get(fleet), dockerfile, 1.0);
    }
    goals.0
}

fn wall(one: &Option<Measurement>) -> Option<f64> {
    one.as_ref().map(|one| one.wall)
}

fn cpu(one: &Option<Measurement>) -> Option<f64> {
    one.as_ref().map(|one| one.cpu)
}

/// The lower one of what there is.
fn lower(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        _ => a.or(b),
    }
}

#[derive(Default)]
struct Goals(Vec<Goal>);

impl Goals {
    fn at_most(&mut self, what: &str, value: Option<f64>, of: Option<f64>, limit: f64) {
        self.add(what, "at most", value, of, limit);
    }

    fn at_least(&mut self, what: &str, value: Option<f64>, of: Option<f64>, limit: f64) {
        self.add(what, "at least", value, of, limit);
    }

    fn add(&mut self, what: &str, bound: &str, value: Option<f64>, of: Option<f64>, limit: f64) {
        let (Some(value), Some(of)) = (value, of) else {
            return;
        };
        let found = value / of;
        // What a table shows with two digits must not contradict it.
        let shown = (found * 100.0).round() / 100.0;
        self.0.push(Goal {
            text: format!("{what}: {bound} {limit}"),
            found,
            reached: if bound == "at most" {
                shown <= limit
            } else {
                shown >= limit
            },
        });
    }
}

/// The list as Markdown.
pub(super) fn markdown(goals: &[Goal]) -> String {
    let mut text = "| goal | found | |\n|---|---:|---|\n".to_owned();
    for goal in goals {
        let _ = writeln!(
            text,
            "| {} | {:.2} | {} |",
            goal.text,
            goal.found,
            if goal.reached {
                "reached"
            } else {
                "**not reached**"
            }
        );
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::bench::compare::table::tests::outcomes;

    #[test]
    fn a_goal_is_reached_up_to_its_limit_as_the_table_shows_it() {
        let found = goals(&outcomes(&[
            (Scenario::Cold, Contestant::Host, 100.0, 200.0),
            (Scenario::Cold, Contestant::FleetOne, 115.0, 210.9),
            (Scenario::Cold, Contestant::PerService, 300.0, 600.0),
        ]));
        let text = markdown(&found);
        for line in [
            "| cold, one solve: CPU ÷ host: at most 1.05 | 1.05 | reached |",
            "| cold, one solve: wall ÷ host: at most 1.1 | 1.15 | **not reached** |",
            "| cold: wall of a step per service ÷ one solve: at least 1.8 | 2.61 | reached |",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        // Nothing is said about what was not measured.
        assert!(
            !text.contains("small service") && !text.contains("one-step"),
            "{text}"
        );
    }

    #[test]
    fn the_better_dockerfile_is_the_one_that_counts() {
        let leaf = Scenario::LeafSmall;
        let found = goals(&outcomes(&[
            (leaf, Contestant::PerService, 9.0, 12.0),
            (leaf, Contestant::OneStep, 8.0, 10.0),
            (leaf, Contestant::Host, 1.0, 1.5),
            (leaf, Contestant::FleetOne, 1.5, 2.0),
        ]));
        let text = markdown(&found);
        assert!(
            text.contains("÷ one solve: at least 8 | 5.00 | **not reached** |"),
            "{text}"
        );
        assert!(
            text.contains("must: at least 5 | 5.00 | reached |"),
            "{text}"
        );
        assert!(
            text.contains("seconds over the host: at most 0.7 | 0.50 | reached |"),
            "{text}"
        );
    }
}
