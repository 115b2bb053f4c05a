//! Medians and ratios, and the Markdown table of a repository.

use std::fmt::Write as _;

use super::contestant::Contestant;
use super::measure::{Measurement, Outcome};
use super::rounds::Outcomes;
use super::scenario::Scenario;
use super::subject::Subject;

/// The middle of the rounds. `None`: not measured. A failure in any round is the answer,
/// because half of a comparison is none.
pub(super) fn middle(
    outcomes: &Outcomes,
    scenario: Scenario,
    contestant: Contestant,
) -> Option<Outcome> {
    let rounds = outcomes.get(&(scenario, contestant))?;
    let mut measured = Vec::new();
    for round in rounds {
        match round {
            Ok(one) => measured.push(one),
            Err(why) => return Some(Err(why.clone())),
        }
    }
    let last = *measured.last()?;
    Some(Ok(Measurement {
        wall: median(measured.iter().map(|one| one.wall)),
        cpu: median(measured.iter().map(|one| one.cpu)),
        // Counts are the same in every round, but for the first build of all.
        ..last.clone()
    }))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// How large a repository is, and its table.
pub(super) fn markdown(subject: &Subject, outcomes: &Outcomes) -> String {
    let sizes: Vec<usize> = subject.services.iter().map(|s| s.packages).collect();
    let mut text = format!(
        "{} to {} packages per service, {} % of all packages in at least two services.\n\n",
        sizes.iter().min().unwrap_or(&0),
        sizes.iter().max().unwrap_or(&0),
        subject.common,
    );
    text.push_str(
        "| built after | by | wall | ÷ host | CPU | ÷ host | steps, of them build | sent | images kept |\n\
         |---|---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let mut scenarios: Vec<Scenario> = outcomes.keys().map(|(scenario, _)| *scenario).collect();
    scenarios.dedup();
    for scenario in scenarios {
        let host = middle(outcomes, scenario, Contestant::Host).and_then(Result::ok);
        let mut title = scenario.title(subject);
        for contestant in Contestant::ALL {
            let Some(outcome) = middle(outcomes, scenario, contestant) else {
                continue;
            };
            let _ = writeln!(text, "{}", row(&title, contestant, &outcome, host.as_ref()));
            // Once per group of rows.
            title.clear();
        }
    }
    text
}

fn row(
    title: &str,
    contestant: Contestant,
    outcome: &Outcome,
    host: Option<&Measurement>,
) -> String {
    let by = contestant.title();
    let one = match outcome {
        Ok(one) => one,
        Err(why) => return format!("| {title} | {by} | failed: {why} | | | | | | |"),
    };
    let steps = match (one.steps, one.builds) {
        (Some(steps), Some(builds)) => format!("{steps}, {builds}"),
        _ => "–".to_owned(),
    };
    format!(
        "| {title} | {by} | {:.2} s | {} | {:.2} s | {} | {steps} | {} | {} |",
        one.wall,
        ratio(one.wall, host.map(|host| host.wall)),
        one.cpu,
        ratio(one.cpu, host.map(|host| host.cpu)),
        one.sent.map_or("–".to_owned(), bytes),
        one.same
            .map_or("–".to_owned(), |(kept, all)| format!("{kept} of {all}")),
    )
}

/// `1.05`, or a dash if there is nothing to divide by.
fn ratio(value: f64, of: Option<f64>) -> String {
    match of {
        Some(of) if of > 0.0 => format!("{:.2}", value / of),
        _ => "–".to_owned(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.2} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Outcomes of one round: seconds on the clock and of processors.
    pub(in super::super) fn outcomes(list: &[(Scenario, Contestant, f64, f64)]) -> Outcomes {
        let mut outcomes = Outcomes::new();
        for (scenario, contestant, wall, cpu) in list {
            let one = Measurement {
                wall: *wall,
                cpu: *cpu,
                steps: contestant.in_daemon().then_some(3),
                builds: contestant.in_daemon().then_some(1),
                sent: contestant.in_daemon().then_some(1_250_000),
                same: contestant.in_daemon().then_some((3, 4)),
            };
            let rounds = outcomes.entry((*scenario, *contestant)).or_default();
            rounds.push(Ok(one));
        }
        outcomes
    }

    #[test]
    fn a_median_is_the_middle_or_between_the_two_in_the_middle() {
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0, 2.0, 3.0].into_iter()) - 2.5).abs() < 1e-9);
        assert!(median([].into_iter()).is_nan());
    }

    #[test]
    fn a_table_has_ratios_to_the_host_and_names_a_scenario_once() {
        let subject = Subject::example(&[("api", "./cmd/api"), ("web", "./web")]);
        let mut outcomes = outcomes(&[
            (Scenario::Cold, Contestant::Host, 10.0, 20.0),
            (Scenario::Cold, Contestant::OneStep, 11.0, 21.0),
            (Scenario::Nothing, Contestant::OneStep, 0.5, 0.25),
        ]);
        outcomes.insert((Scenario::Cold, Contestant::Ko), vec![Err("no".to_owned())]);
        let text = markdown(&subject, &outcomes);
        let rows: Vec<&str> = text.lines().skip(4).collect();
        assert_eq!(
            rows,
            [
                "| cold, modules at hand | `go build` on the host | 10.00 s | 1.00 | 20.00 s | 1.00 | – | – | – |",
                "|  | Dockerfile, one build step | 11.00 s | 1.10 | 21.00 s | 1.05 | 3, 1 | 1.25 MB | 3 of 4 |",
                "|  | ko | failed: no | | | | | | |",
                "| nothing changed | Dockerfile, one build step | 0.50 s | – | 0.25 s | – | 3, 1 | 1.25 MB | 3 of 4 |",
            ]
        );
    }

    #[test]
    fn the_middle_is_per_number_and_a_failure_wins() {
        let key = (Scenario::Shared, Contestant::FleetOne);
        let mut three = outcomes(&[
            (key.0, key.1, 1.0, 9.0),
            (key.0, key.1, 2.0, 8.0),
            (key.0, key.1, 3.0, 7.0),
        ]);
        let one = middle(&three, key.0, key.1).unwrap().unwrap();
        assert!((one.wall - 2.0).abs() < 1e-9 && (one.cpu - 8.0).abs() < 1e-9);
        three.get_mut(&key).unwrap().push(Err("no".to_owned()));
        assert!(middle(&three, key.0, key.1).unwrap().is_err());
        assert!(middle(&three, Scenario::Cold, key.1).is_none());
    }
}
