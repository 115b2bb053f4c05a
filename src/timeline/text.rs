//! A chart for a terminal, 112 columns wide.

use super::layout::{Chart, Row};
use super::model::State;
use super::svg::{cut, width};
use super::time::{Span, in_words, marks};

const GROUP: usize = 12;
const LABEL: usize = 38;
const CHART: usize = 48;

/// Draws a chart as lines.
pub(super) fn draw(chart: &Chart) -> String {
    let mut text = format!("{}\n\n", chart.facts.join(" · "));
    let indent = 2 + GROUP + 1 + LABEL + 1;
    line(&mut text, &format!("{:indent$}{}", "", axis(chart.length)));
    for section in &chart.sections {
        let mut group = cut(&section.label, GROUP);
        for row in &section.rows {
            let mark = if row.on_path { '*' } else { ' ' };
            let took = in_words(row.took);
            let label = pad(&cut(&row.label, LABEL), LABEL);
            let bars = bars(row, chart.length);
            let name = pad(&group, GROUP);
            line(&mut text, &format!("{mark} {name} {label} {bars} {took}"));
            group.clear();
        }
    }
    text.push('\n');
    line(&mut text, &legend(chart));
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

fn pad(text: &str, columns: usize) -> String {
    let used: usize = text.chars().map(width).sum();
    format!("{text}{:1$}", "", columns.saturating_sub(used))
}

/// The column of a moment.
fn column(at: Span, length: Span) -> usize {
    let at = (u128::from(at) * CHART as u128 / u128::from(length.max(1))) as usize;
    at.min(CHART - 1)
}

fn bars(row: &Row, length: Span) -> String {
    let mut cells = [' '; CHART];
    let first = row.bars.iter().find(|bar| bar.state != State::Cached);
    if let Some((ready, first)) = row.ready.zip(first) {
        cells[column(ready, length)..column(first.start, length)].fill('·');
    }
    for bar in &row.bars {
        let from = column(bar.start, length);
        // A bar ends before the column in which the next one begins.
        let to = column(bar.end.saturating_sub(1), length).max(from);
        for cell in &mut cells[from..=to] {
            // A look into the cache hides no work.
            if bar.state != State::Cached || matches!(cell, ' ' | '·') {
                *cell = sign(bar.state);
            }
        }
    }
    cells.iter().collect()
}

fn sign(state: State) -> char {
    match state {
        State::Executed => '█',
        State::Cached => '░',
        State::Failed => 'X',
        State::Unfinished => '>',
    }
}

/// Labels at their columns, as many as have room.
fn axis(length: Span) -> String {
    let mut cells = String::new();
    for (at, label) in marks(length) {
        let column = column(at, length);
        let used = cells.chars().count();
        if (used == 0 || column > used) && column + label.len() <= CHART + 6 {
            cells = pad(&cells, column) + &label;
        }
    }
    cells
}

fn legend(chart: &Chart) -> String {
    let states = [
        (State::Executed, "executed"),
        (State::Cached, "cached"),
        (State::Failed, "failed"),
        (State::Unfinished, "not finished"),
    ];
    let states = states
        .iter()
        .filter(|(state, _)| chart.states.contains(state));
    let mut parts: Vec<String> = states
        .map(|(state, word)| format!("{} {word}", sign(*state)))
        .collect();
    if chart.waits {
        parts.push("· inputs there, not started".to_owned());
    }
    if chart.path.len() > 1 {
        parts.push("* longest chain of inputs".to_owned());
    }
    parts.join("   ")
}
