//! Vertices → steps: what each did, how long, for whom.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{self, Group, Name};
use super::path;
use super::read::{Stream, Stretch, Vertex, View};
use super::time::{Span, Time, between, in_order};

/// One build, or several of a bake file. Times are counted from its begin.
#[derive(Debug)]
pub(super) struct Build {
    /// Steps that started, in the order in which they were announced.
    pub(super) steps: Vec<Step>,
    /// Steps that never started.
    pub(super) not_started: usize,
    pub(super) length: Span,
    pub(super) skipped: usize,
    /// The longest chain of inputs: steps by index, in the order in which they ran.
    pub(super) path: Vec<usize>,
}

/// One vertex.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: Name,
    /// As the daemon has it.
    pub(super) full_name: String,
    pub(super) state: State,
    pub(super) bars: Vec<Bar>,
    /// Indices of steps.
    pub(super) inputs: Vec<usize>,
    /// When its inputs were there, if that is before it started.
    pub(super) ready: Option<Span>,
    /// When it first said something.
    pub(super) output: Option<Span>,
    pub(super) error: String,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// Its result was there.
    Cached,
    /// It did its work in this build.
    Executed,
    /// It did not complete, or was told to stop.
    Unfinished,
    Failed,
}

/// A stretch of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) start: Span,
    pub(super) end: Span,
    pub(super) state: State,
}

impl Step {
    /// How long it worked, with everything: what a cached step has is the time that it
    /// took to find and load its result.
    pub(super) fn took(&self) -> Span {
        self.bars.iter().map(|bar| bar.end - bar.start).sum()
    }

    /// How long it did what the cache would have saved.
    pub(super) fn worked(&self) -> Span {
        match self.state {
            State::Cached => 0,
            _ => self.took(),
        }
    }

    pub(super) fn start(&self) -> Span {
        self.bars.first().map_or(0, |bar| bar.start)
    }

    pub(super) fn end(&self) -> Span {
        self.bars.iter().map(|bar| bar.end).max().unwrap_or(0)
    }
}

/// Reads a stream's vertices as steps; nothing, when none started.
pub(super) fn build(stream: Stream) -> Option<Build> {
    let begin = stream.begin?;
    let clock = Clock {
        begin,
        end: stream.end?.max(begin),
    };
    let all_names = stream.vertices.iter().flat_map(|v| v.views.keys());
    let targets = names::targets(all_names.map(String::as_str));
    let mut steps = Vec::new();
    let mut not_started = 0;
    let mut indices = BTreeMap::new();
    for vertex in &stream.vertices {
        let (full_name, target) = name(vertex, &targets);
        match step(vertex, full_name, target, clock) {
            Some(step) => {
                indices.insert(vertex.digest.as_str(), steps.len());
                steps.push(step);
            }
            None => not_started += usize::from(!vertex.views.is_empty()),
        }
    }
    if steps.is_empty() {
        return None;
    }
    let started = stream.vertices.iter();
    let started = started.filter(|vertex| indices.contains_key(vertex.digest.as_str()));
    for (index, vertex) in started.enumerate() {
        let inputs = vertex.inputs.iter();
        let inputs: BTreeSet<usize> = inputs
            .filter_map(|digest| indices.get(digest.as_str()).copied())
            .collect();
        steps[index].inputs = inputs.into_iter().collect();
        steps[index].ready = ready(&steps, index, clock.moment(vertex.announced));
    }
    give_preparations_to_services(&mut steps);
    let path = path::longest(&steps);
    Some(Build {
        steps,
        not_started,
        length: between(clock.begin, clock.end),
        skipped: stream.skipped,
        path,
    })
}

#[derive(Clone, Copy)]
struct Clock {
    begin: Time,
    end: Time,
}

impl Clock {
    fn at(self, time: Time) -> Span {
        between(self.begin, time.min(self.end))
    }

    fn moment(self, time: Option<Time>) -> Span {
        time.map_or(0, |time| self.at(time))
    }
}

/// The name without the target of a bake file; the target, if there was only one.
fn name(vertex: &Vertex, targets: &BTreeSet<String>) -> (String, Option<String>) {
    let mut views = vertex.views.keys();
    let first = views.next().map_or("", String::as_str);
    let (name, target) = names::without_target(first, targets);
    let target = target.filter(|_| views.next().is_none());
    (name, target.map(str::to_owned))
}

fn step(vertex: &Vertex, full_name: String, target: Option<String>, clock: Clock) -> Option<Step> {
    let stretches = merge(&vertex.views);
    let first = stretches.first()?;
    let failed = stretches.iter().filter(|stretch| !stretch.error.is_empty());
    let error = failed.map(|stretch| stretch.error.clone()).next_back();
    let unfinished = stretches.iter().any(|stretch| stretch.end.is_none());
    let state = match &error {
        Some(error) if is_cancelled(error) => State::Unfinished,
        Some(_) => State::Failed,
        None if unfinished => State::Unfinished,
        None if vertex
            .views
            .values()
            .any(|view| executed(vertex, view, clock)) =>
        {
            State::Executed
        }
        None => State::Cached,
    };
    let mut bars: Vec<Bar> = Vec::new();
    for (index, stretch) in stretches.iter().enumerate() {
        let next = stretches
            .get(index + 1)
            .map_or(clock.end, |next| next.start);
        let end = stretch.end.unwrap_or(next);
        // Work for another build that has the same step.
        if end < clock.begin {
            continue;
        }
        let state = match stretch {
            Stretch { error, .. } if is_cancelled(error) => State::Unfinished,
            Stretch { error, .. } if !error.is_empty() => State::Failed,
            Stretch { end: None, .. } => State::Unfinished,
            Stretch { cached: true, .. } => State::Cached,
            _ => State::Executed,
        };
        let start = clock.at(stretch.start);
        let end = clock.at(end).max(start);
        bars.push(Bar { start, end, state });
    }
    if bars.is_empty() {
        // It was done when the build began, and is drawn there.
        let (start, end, state) = (0, 0, State::Cached);
        bars.push(Bar { start, end, state });
    }
    let output = vertex.output.iter().copied();
    let output = output
        .filter(|at| *at >= first.start.max(clock.begin))
        .min();
    Some(Step {
        name: names::parts(&full_name, target.as_deref()),
        full_name,
        state,
        bars,
        inputs: Vec::new(),
        ready: None,
        output: output.map(|at| clock.at(at)),
        error: error.unwrap_or_default(),
    })
}

/// The stretches of all views, each once: a vertex does one thing at a time, so
/// what overlaps is one stretch as seen by several builds, and so is what took as long
/// to the nanosecond at nearly the same time.
fn merge(views: &BTreeMap<String, View>) -> Vec<Stretch> {
    /// How far the clocks of two builds may be apart.
    const APART: Span = 500_000_000;
    /// How many stretches another build can have seen in between.
    const RECENT: usize = 8;
    let mut all: Vec<(usize, &Stretch)> = Vec::new();
    for (view, stretches) in views.values().enumerate() {
        all.extend(stretches.values().map(|stretch| (view, stretch)));
    }
    let mut merged: Vec<(usize, Stretch)> = Vec::new();
    for at in in_order(all.iter().map(|(_, s)| [between(0, s.start), 0])) {
        let (view, stretch) = all[at];
        let length = |s: &Stretch| s.end.map(|end| between(s.start, end));
        let same = |(first, other): &&mut (usize, Stretch)| {
            let overlap = other.end.is_none_or(|end| stretch.start < end);
            let alike = length(other).is_some() && length(other) == length(stretch);
            let near = between(other.start, stretch.start) < APART;
            *first != view && other.cached == stretch.cached && (overlap || alike && near)
        };
        match merged.iter_mut().rev().take(RECENT).find(same) {
            Some((_, other)) => {
                other.end = other.end.max(stretch.end);
                if other.error.is_empty() {
                    other.error.clone_from(&stretch.error);
                }
            }
            None => merged.push((view, stretch.clone())),
        }
    }
    merged.into_iter().map(|(_, stretch)| stretch).collect()
}

/// Whether one build saw the work, and not the cache only.
///
/// What is no work is reported as cached, with one exception: a vertex without inputs is
/// asked for its key, which is a stretch that is not cached (`solver/jobs.go`, `CacheMap`).
fn executed(vertex: &Vertex, view: &View, clock: Clock) -> bool {
    let ours = view.values();
    let ours = ours.filter(|stretch| stretch.end.is_none_or(|end| end >= clock.begin));
    let (cached, worked): (Vec<_>, Vec<_>) = ours.partition(|stretch| stretch.cached);
    match vertex.inputs.is_empty() {
        true => worked.len() > cached.len(),
        false => !worked.is_empty(),
    }
}

/// What the daemon says when a build is given up. Steps that are stopped by it report
/// their own failure first.
fn is_cancelled(error: &str) -> bool {
    error.contains("context canceled")
}

/// When the last input of a step was there and the step itself was known, if that is
/// before it started to work.
fn ready(steps: &[Step], index: usize, announced: Span) -> Option<Span> {
    let mut bars = steps[index].bars.iter();
    let start = bars.find(|bar| bar.state != State::Cached)?.start;
    let inputs = steps[index]
        .inputs
        .iter()
        .filter_map(|input| steps.get(*input));
    let ends = inputs.map(|input| {
        let before = input.bars.iter().map(|bar| bar.end);
        before.filter(|end| *end <= start).max()
    });
    // An input that was not there before leaves nothing to be said.
    let ends: Option<Vec<Span>> = ends.collect();
    let ready = ends?.into_iter().max()?.max(announced);
    (ready < start).then_some(ready)
}

/// Sources and modules of a service stand with its other steps.
fn give_preparations_to_services(steps: &mut [Step]) {
    let services: BTreeSet<String> = steps
        .iter()
        .filter_map(|step| match &step.name.group {
            Group::Named(name) => Some(name.clone()),
            _ => None,
        })
        .collect();
    for step in steps {
        if step.name.group == Group::Internal
            && let Some(service) = names::belongs(&step.name.label, &services)
        {
            step.name.group = service;
        }
    }
}
