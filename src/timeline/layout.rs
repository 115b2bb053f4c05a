//! Steps → rows of a chart.
//!
//! A picture is for what cost time. Steps that took next to none, and those that came
//! from the cache, are counted in a few rows at the end.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Bar, Build, State, Step};
use super::names::Group;
use super::time::{MILLISECOND, Span, in_order, in_words};

/// How many rows a chart has at most, unless all are asked for.
const ROWS: usize = 160;

/// A row of many steps has bars of at least this part of the build.
const GRAIN: Span = 500;

/// What is drawn.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) length: Span,
    /// Facts about the whole, to be joined.
    pub(super) facts: Vec<String>,
    pub(super) sections: Vec<Section>,
    /// Places of the longest chain's steps: section and row.
    pub(super) path: Vec<(usize, usize)>,
    /// The longest chain, step by step.
    pub(super) chain: Vec<Link>,
    /// Names and messages of steps that failed.
    pub(super) failures: Vec<(String, String)>,
    /// The states that bars have.
    pub(super) states: BTreeSet<State>,
    /// Whether there are steps that started later than they could.
    pub(super) waits: bool,
}

/// Rows with one name.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) label: String,
    pub(super) rows: Vec<Row>,
}

/// One line.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) label: String,
    /// Everything that is known, on several lines.
    pub(super) details: String,
    pub(super) bars: Vec<Bar>,
    /// From when on it could have started.
    pub(super) ready: Option<Span>,
    pub(super) took: Span,
    pub(super) on_path: bool,
}

/// A step of the longest chain.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) name: String,
    pub(super) start: Span,
    pub(super) took: Span,
}

/// Makes rows; with `all`, one for each step.
pub(super) fn lay_out(build: &Build, all: bool) -> Chart {
    let on_path: BTreeSet<usize> = build.path.iter().copied().collect();
    let folds = match all {
        true => BTreeMap::new(),
        false => folds(build),
    };
    let waits = |span: Span| span >= MILLISECOND && span >= build.length / 200;
    let mut groups: BTreeMap<&Group, Vec<usize>> = BTreeMap::new();
    for (index, step) in build.steps.iter().enumerate() {
        if !folds.contains_key(&index) {
            groups.entry(&step.name.group).or_default().push(index);
        }
    }
    let start = |index: &usize| build.steps[*index].start();
    let groups: Vec<(&Group, Vec<usize>)> = groups
        .into_iter()
        .map(|(group, steps)| {
            let order = in_order(steps.iter().map(|index| [start(index), 0]));
            (group, order.into_iter().map(|at| steps[at]).collect())
        })
        .collect();
    let starts = groups.iter();
    let starts = starts.map(|(_, steps)| [steps.first().map_or(0, start), 0]);
    let mut places = BTreeMap::new();
    let mut sections = Vec::new();
    for at in in_order(starts) {
        let (group, steps) = &groups[at];
        let rows = steps.iter().enumerate().map(|(row, index)| {
            places.insert(*index, (sections.len(), row));
            let step = &build.steps[*index];
            let wait = step
                .ready
                .filter(|ready| waits(work_start(step).saturating_sub(*ready)));
            self::row(step, wait, on_path.contains(index))
        });
        let rows = rows.collect();
        sections.push(Section {
            label: group.label().to_owned(),
            rows,
        });
    }
    sections.extend(folded(build, &folds));
    let path = build.path.iter();
    let path = path
        .filter_map(|index| places.get(index).copied())
        .collect();
    let rows = || sections.iter().flat_map(|section| &section.rows);
    Chart {
        length: build.length.max(1),
        facts: facts(build),
        path,
        chain: chain(build),
        failures: failures(build),
        states: rows()
            .flat_map(|row| &row.bars)
            .map(|bar| bar.state)
            .collect(),
        waits: rows().any(|row| row.ready.is_some()),
        sections,
    }
}

/// Why a step has no row of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fold {
    Cached,
    Internal,
    Short,
}

fn folds(build: &Build) -> BTreeMap<usize, Fold> {
    // What people do not know by name is of interest when it costs something.
    let little = (build.length / 100).max(MILLISECOND);
    let fold = |step: &Step| {
        let known = matches!(step.name.group, Group::Named(_) | Group::Export)
            && !step.full_name.starts_with("[internal]");
        let took = step.took();
        match step.state {
            State::Failed | State::Unfinished => None,
            State::Cached => (took < little).then_some(Fold::Cached),
            State::Executed if known => (took < MILLISECOND).then_some(Fold::Short),
            State::Executed => (took < little).then_some(Fold::Internal),
        }
    };
    let steps = build.steps.iter().enumerate();
    let mut folds: BTreeMap<usize, Fold> = steps
        .filter_map(|(index, step)| Some((index, fold(step)?)))
        .collect();
    let shown: Vec<usize> = (0..build.steps.len())
        .filter(|index| !folds.contains_key(index))
        .collect();
    let path: BTreeSet<usize> = build.path.iter().copied().collect();
    if shown.len() > ROWS {
        let order = in_order(shown.iter().map(|index| {
            let step = &build.steps[*index];
            let class = match (step.state, path.contains(index)) {
                (State::Failed, _) => 0,
                (_, true) => 1,
                _ => 2,
            };
            [class, Span::MAX - step.took()]
        }));
        folds.extend(order.iter().skip(ROWS).map(|at| (shown[*at], Fold::Short)));
    }
    folds
}

/// One section for everything that has no row of its own.
fn folded(build: &Build, folds: &BTreeMap<usize, Fold>) -> Option<Section> {
    let kinds = [Fold::Internal, Fold::Short, Fold::Cached];
    let rows: Vec<Row> = kinds
        .into_iter()
        .filter_map(|kind| {
            let steps = folds.iter().filter(|(_, fold)| **fold == kind);
            let steps: Vec<&Step> = steps.map(|(index, _)| &build.steps[*index]).collect();
            (!steps.is_empty()).then(|| fold(build, kind, &steps))
        })
        .collect();
    let label = "folded".to_owned();
    (!rows.is_empty()).then_some(Section { label, rows })
}

fn fold(build: &Build, kind: Fold, steps: &[&Step]) -> Row {
    /// How many names a tooltip has.
    const NAMES: usize = 20;
    let what = match kind {
        Fold::Cached => "cached",
        Fold::Internal => "small internal",
        Fold::Short => "short",
    };
    let plural = if steps.len() == 1 { "step" } else { "steps" };
    let label = format!("{} {what} {plural}", steps.len());
    let mut details = label.clone();
    let order = in_order(steps.iter().map(|step| [Span::MAX - step.took(), 0]));
    for step in order.iter().take(NAMES).map(|at| steps[*at]) {
        details.push_str(&format!("\n{} {}", in_words(step.took()), step.full_name));
    }
    if steps.len() > NAMES {
        details.push_str(&format!("\nand {} more", steps.len() - NAMES));
    }
    let bars = steps.iter().flat_map(|step| bars(step));
    Row {
        label,
        details,
        bars: join(bars.collect(), build.length / GRAIN),
        ready: None,
        took: steps.iter().map(|step| step.took()).sum(),
        on_path: false,
    }
}

/// Bars of many steps on one line: those that nobody could tell apart are one.
fn join(bars: Vec<Bar>, grain: Span) -> Vec<Bar> {
    let mut joined: Vec<Bar> = Vec::new();
    for at in in_order(bars.iter().map(|bar| [bar.start, bar.end])) {
        let bar = bars[at];
        match joined.last_mut() {
            Some(last) if bar.start <= last.end.saturating_add(grain) => {
                last.end = last.end.max(bar.end);
                last.state = last.state.max(bar.state);
            }
            _ => joined.push(bar),
        }
    }
    joined
}

fn row(step: &Step, ready: Option<Span>, on_path: bool) -> Row {
    Row {
        label: step.name.label.clone(),
        details: details(step, ready),
        bars: bars(step).collect(),
        ready,
        took: step.took(),
        on_path,
    }
}

/// Looking for the key of a result that was there is no execution.
fn bars(step: &Step) -> impl Iterator<Item = Bar> {
    let bars = step.bars.iter().copied();
    bars.map(|bar| match step.state {
        State::Cached => Bar {
            state: State::Cached,
            ..bar
        },
        _ => bar,
    })
}

/// When a step first did something else than looking.
fn work_start(step: &Step) -> Span {
    let mut bars = step.bars.iter();
    let bar = bars.find(|bar| bar.state != State::Cached);
    bar.map_or(step.start(), |bar| bar.start)
}

fn details(step: &Step, ready: Option<Span>) -> String {
    let state = match step.state {
        State::Cached => "cached",
        State::Executed => "executed",
        State::Unfinished => "not finished",
        State::Failed => "failed",
    };
    let mut text = format!("{}\n{state}, {}", step.full_name, in_words(step.took()));
    text.push_str(&format!(
        "\nfrom {} to {}",
        in_words(step.start()),
        in_words(step.end())
    ));
    if step.bars.len() > 1 {
        text.push_str(&format!(", in {} parts", step.bars.len()));
    }
    if let Some(ready) = ready {
        let waited = in_words(work_start(step).saturating_sub(ready));
        text.push_str(&format!("\ninputs were there {waited} before it started"));
    }
    if let Some(output) = step.output {
        text.push_str(&format!("\nfirst output at {}", in_words(output)));
    }
    if !step.error.is_empty() {
        text.push_str(&format!("\n{}", step.error));
    }
    text
}

fn facts(build: &Build) -> Vec<String> {
    let count = |state| build.steps.iter().filter(|s| s.state == state).count();
    let executed = build.steps.iter().filter(|s| s.state == State::Executed);
    let worked: Span = executed.map(Step::worked).sum();
    let chain = build.path.iter();
    let chain: Span = chain.map(|index| build.steps[*index].worked()).sum();
    let mut facts = vec![
        in_words(build.length),
        format!(
            "{} steps executed, {} together",
            count(State::Executed),
            in_words(worked)
        ),
        format!("{} cached", count(State::Cached)),
    ];
    for (state, word) in [
        (State::Failed, "failed"),
        (State::Unfinished, "not finished"),
    ] {
        if count(state) > 0 {
            facts.push(format!("{} {word}", count(state)));
        }
    }
    if build.not_started > 0 {
        facts.push(format!("{} not needed or not reached", build.not_started));
    }
    if !build.path.is_empty() {
        facts.push(format!("longest chain {}", in_words(chain)));
    }
    if build.skipped > 0 {
        let lines = if build.skipped == 1 { "line" } else { "lines" };
        facts.push(format!("{} other {lines} skipped", build.skipped));
    }
    facts
}

fn chain(build: &Build) -> Vec<Link> {
    let links = build.path.iter().map(|index| {
        let step = &build.steps[*index];
        Link {
            name: step.full_name.clone(),
            start: work_start(step),
            took: step.took(),
        }
    });
    links.collect()
}

fn failures(build: &Build) -> Vec<(String, String)> {
    let failed = build.steps.iter().filter(|s| s.state == State::Failed);
    let texts = failed.map(|step| (step.full_name.clone(), step.error.clone()));
    texts.collect()
}
