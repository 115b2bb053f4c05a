//! A chart as SVG: no scripts, nothing from elsewhere, tooltips as titles.
//!
//! Colours differ in lightness and hue for any eyes (after Okabe and Ito), and what they
//! say is said by shape, too: cached bars are hollow, failed ones have a cross, unfinished
//! ones are striped, those of the longest chain have a frame and a line between them.

use super::layout::{Chart, Row};
use super::model::{Bar, State};
use super::time::{Span, in_words, marks};

const WIDTH: f64 = 1200.0;
const MARGIN: f64 = 16.0;
/// Where labels begin, where the chart does, and where it ends.
const LABELS: f64 = 118.0;
const LEFT: f64 = 420.0;
const RIGHT: f64 = 1124.0;
const ROW: f64 = 20.0;
const BAR: f64 = 12.0;
const GAP: f64 = 8.0;
/// Heights of the title, and of the legend with the axis below it.
const TITLE: f64 = 58.0;
const HEAD: f64 = 108.0;
/// Characters of 11 pixels that fit into a column.
const LABEL: usize = 44;
const GROUP: usize = 14;

const STYLE: &str = "\
.page{fill:#fff}
text{font:12px system-ui,sans-serif;fill:#1c2024}
.mono{font:11px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}
.title{font-size:16px;font-weight:600}
.quiet{fill:#60646c}
.strong{font-weight:600}
.band{fill:#f3f4f6}
.grid{stroke:#d9dbe0;stroke-width:1}
.executed{fill:#0072b2}
.cached{fill:#fff;stroke:#80838d;stroke-width:1}
.failed{fill:#d55e00}
.unfinished{fill:url(#stripes)}
.stripe{stroke:#e69f00;stroke-width:4}
.ready{stroke:#80838d;stroke-width:1.5;stroke-dasharray:2 2}
.cross{stroke:#fff;stroke-width:1.5}
.chain{fill:none;stroke:#1c2024;stroke-width:1.5}
@media (prefers-color-scheme:dark){
.page{fill:#15181c}
text{fill:#e8eaed}
.quiet{fill:#a0a5ae}
.band{fill:#1e2227}
.grid{stroke:#363b43}
.executed{fill:#56b4e9}
.cached{fill:#15181c;stroke:#8b909a}
.failed{fill:#ff7f32}
.stripe{stroke:#f0c04c}
.ready{stroke:#8b909a}
.cross{stroke:#15181c}
.chain{stroke:#e8eaed}
}
";

/// Draws a chart as a document of its own.
pub(super) fn draw(chart: &Chart) -> String {
    let mut svg = Svg::default();
    let places = places(chart);
    let bottom = places.last().and_then(|rows| rows.last());
    let bottom = bottom.map_or(HEAD, |top| top + ROW);
    let (width, height) = (number(WIDTH), number(bottom + MARGIN));
    svg.add(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">"
    ));
    svg.add(format!(
        "<title>{}</title>",
        escape(&chart.facts.join(", "))
    ));
    svg.add(format!("<style>\n{STYLE}</style>"));
    svg.add(
        "<defs><pattern id=\"stripes\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><path class=\"stripe\" d=\"M2 0V6\"/></pattern></defs>"
            .to_owned(),
    );
    svg.add("<rect class=\"page\" width=\"100%\" height=\"100%\"/>".to_owned());
    svg.head(chart);
    for ((section, tops), index) in chart.sections.iter().zip(&places).zip(0..) {
        let Some((first, last)) = tops.first().zip(tops.last()) else {
            continue;
        };
        if index % 2 == 0 {
            let (y, height) = (first - GAP / 2.0, last - first + ROW + GAP);
            let width = WIDTH - MARGIN;
            svg.rect("band", [MARGIN / 2.0, y, width, height], 4, "");
        }
        let label = cut(&section.label, GROUP);
        svg.text("mono strong", MARGIN, first + 14.0, &label);
    }
    svg.axis(chart.length, bottom);
    svg.chain(chart, &places);
    for (section, tops) in chart.sections.iter().zip(&places) {
        for (row, top) in section.rows.iter().zip(tops) {
            svg.row(row, *top, chart.length);
        }
    }
    svg.add("</svg>".to_owned());
    svg.text
}

/// The top of every row.
fn places(chart: &Chart) -> Vec<Vec<f64>> {
    let mut y = HEAD;
    let mut places = Vec::new();
    for section in &chart.sections {
        y += GAP;
        let tops = (0..section.rows.len()).map(|row| y + row as f64 * ROW);
        places.push(tops.collect());
        y += section.rows.len() as f64 * ROW;
    }
    places
}

/// Where a moment is.
fn x(at: Span, length: Span) -> f64 {
    LEFT + (RIGHT - LEFT) * (at as f64 / length as f64).min(1.0)
}

#[derive(Default)]
struct Svg {
    text: String,
}

impl Svg {
    fn add(&mut self, line: String) {
        self.text.push_str(&line);
        self.text.push('\n');
    }

    fn text(&mut self, class: &str, x: f64, y: f64, text: &str) {
        let (x, y, text) = (number(x), number(y), escape(text));
        self.add(format!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>"
        ));
    }

    fn anchored(&mut self, anchor: &str, x: f64, y: f64, text: &str) {
        let (x, y, text) = (number(x), number(y), escape(text));
        self.add(format!(
            "<text class=\"quiet\" text-anchor=\"{anchor}\" x=\"{x}\" y=\"{y}\">{text}</text>"
        ));
    }

    fn rect(&mut self, class: &str, place: [f64; 4], radius: u8, more: &str) {
        let [x, y, width, height] = place.map(number);
        self.add(format!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"{more}/>"
        ));
    }

    fn path(&mut self, class: &str, d: &str) {
        self.add(format!("<path class=\"{class}\" d=\"{d}\"/>"));
    }

    /// Title, facts, legend.
    fn head(&mut self, chart: &Chart) {
        self.text("title", MARGIN, 28.0, "Build timeline");
        self.text("quiet", MARGIN, 48.0, &chart.facts.join(" · "));
        let y = TITLE + 8.0;
        let mut x = MARGIN;
        let states = [
            (State::Executed, "executed"),
            (State::Cached, "cached"),
            (State::Failed, "failed"),
            (State::Unfinished, "not finished"),
        ];
        for (state, label) in states {
            if chart.states.contains(&state) {
                self.bar(state, [x, y, 22.0]);
                self.text("quiet", x + 28.0, y + 10.0, label);
                x += 46.0 + 6.5 * label.len() as f64;
            }
        }
        if chart.path.len() > 1 {
            self.rect("executed", [x, y, 22.0, BAR], 2, "");
            self.frame([x, y, 22.0]);
            self.text("quiet", x + 28.0, y + 10.0, "longest chain of inputs");
            x += 46.0 + 6.5 * 23.0;
        }
        if chart.waits {
            let y = y + BAR / 2.0;
            self.path("ready", &format!("M{} {}h22", number(x), number(y)));
            self.text("quiet", x + 28.0, y + 4.0, "inputs there, not started");
        }
    }

    fn axis(&mut self, length: Span, bottom: f64) {
        for (at, label) in marks(length) {
            let x = x(at, length);
            let line = format!("M{} {}V{}", number(x), number(HEAD - 4.0), number(bottom));
            self.path("grid", &line);
            self.anchored("middle", x, HEAD - 10.0, &label);
        }
    }

    /// Lines between the rows of the longest chain.
    fn chain(&mut self, chart: &Chart, places: &[Vec<f64>]) {
        let place = |(section, row): &(usize, usize)| {
            let top = places.get(*section)?.get(*row)?;
            let row = chart.sections.get(*section)?.rows.get(*row)?;
            let worked = |bar: &&Bar| bar.state != State::Cached;
            let first = row.bars.iter().find(worked)?;
            let last = row.bars.iter().rev().find(worked)?;
            let (start, end) = (x(first.start, chart.length), x(last.end, chart.length));
            Some((start, end.max(start + 2.0), top + ROW / 2.0))
        };
        let links: Vec<_> = chart.path.iter().filter_map(place).collect();
        for pair in links.windows(2) {
            if let [(_, from, y), (to, _, next)] = pair {
                let turn = from.min(*to);
                let line = [*from, *y, turn, *next, *to].map(number);
                let [from, y, turn, next, to] = line;
                self.path("chain", &format!("M{from} {y}H{turn}V{next}H{to}"));
            }
        }
    }

    fn row(&mut self, row: &Row, top: f64, length: Span) {
        self.add("<g>".to_owned());
        self.add(format!("<title>{}</title>", escape(&row.details)));
        // Something to point at, all along the row.
        let all = [MARGIN / 2.0, top, WIDTH - MARGIN, ROW];
        self.rect("row", all, 0, " fill=\"none\" pointer-events=\"all\"");
        let class = if row.on_path { "mono strong" } else { "mono" };
        self.text(class, LABELS, top + 14.0, &cut(&row.label, LABEL));
        let y = top + (ROW - BAR) / 2.0;
        let first = row.bars.iter().find(|bar| bar.state != State::Cached);
        if let Some((ready, first)) = row.ready.zip(first) {
            let (from, to) = (x(ready, length), x(first.start, length));
            let y = number(top + ROW / 2.0);
            self.path("ready", &format!("M{} {y}H{}", number(from), number(to)));
        }
        for bar in &row.bars {
            let start = x(bar.start, length).min(RIGHT - 2.0);
            let place = [start, y, (x(bar.end, length) - start).max(2.0)];
            self.bar(bar.state, place);
            if row.on_path && bar.state != State::Cached {
                self.frame(place);
            }
        }
        self.anchored("end", WIDTH - MARGIN, top + 14.0, &in_words(row.took));
        self.add("</g>".to_owned());
    }

    fn bar(&mut self, state: State, [x, y, width]: [f64; 3]) {
        let radius = if width < 5.0 { 0 } else { 2 };
        match state {
            // The line is part of the size, as it is for full bars.
            State::Cached => {
                let place = [x + 0.5, y + 0.5, width - 1.0, BAR - 1.0];
                self.rect("cached", place, radius, "");
            }
            State::Executed => self.rect("executed", [x, y, width, BAR], radius, ""),
            State::Unfinished => self.rect("unfinished", [x, y, width, BAR], radius, ""),
            State::Failed => {
                self.rect("failed", [x, y, width, BAR], radius, "");
                if width >= 10.0 {
                    let (x, y) = (number(x + width - 9.0), number(y + 3.0));
                    self.path("cross", &format!("M{x} {y}l6 6m0 -6l-6 6"));
                }
            }
        }
    }

    fn frame(&mut self, [x, y, width]: [f64; 3]) {
        let place = [x - 1.0, y - 1.0, width + 2.0, BAR + 2.0];
        self.rect("chain", place, 3, "");
    }
}

/// A coordinate, to a tenth of a pixel.
fn number(value: f64) -> String {
    let tenths = (value * 10.0).round() as u64;
    match tenths % 10 {
        0 => (tenths / 10).to_string(),
        tenth => format!("{}.{tenth}", tenths / 10),
    }
}

/// At most so many columns. The end of a path says more than its middle.
pub(super) fn cut(text: &str, columns: usize) -> String {
    let text: String = text.chars().map(printable).collect();
    if text.chars().map(width).sum::<usize>() <= columns {
        return text;
    }
    let rest = columns.saturating_sub(1);
    let head = take(text.chars(), rest - rest / 2);
    let tail: Vec<char> = take(text.chars().rev(), rest / 2).chars().rev().collect();
    format!("{head}…{}", String::from_iter(tail))
}

fn take(chars: impl Iterator<Item = char>, columns: usize) -> String {
    let mut used = 0;
    let fits = |char: &char| {
        used += width(*char);
        used <= columns
    };
    chars.take_while(fits).collect()
}

/// Columns of a character: two for East Asian scripts and pictures.
pub(super) fn width(char: char) -> usize {
    match char {
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' => 2,
        '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' => 2,
        '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// Names come from anywhere: nothing in them moves a cursor, turns the direction of a
/// line, or is forbidden in XML.
fn printable(char: char) -> char {
    match char {
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '�',
        '\u{fffe}' | '\u{ffff}' => '�',
        char if char.is_control() => ' ',
        char => char,
    }
}

/// Text for XML and HTML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push('\n'),
            char => escaped.push(printable(char)),
        }
    }
    escaped
}
