//! One picture of a comparison: bars of processor time over that of the host.
//!
//! Written by hand, and small: no style sheet, no script, and colours that can be read
//! on light and on dark pages.

use std::fmt::Write as _;

use super::contestant::Contestant;
use super::rounds::Outcomes;
use super::scenario::Scenario;
use super::subject::Subject;
use super::table::middle;

/// Scenarios that are drawn.
const SCENARIOS: [Scenario; 3] = [Scenario::Cold, Scenario::LeafSmall, Scenario::Shared];
const INK: &str = "#7d8590";
const OTHERS: &str = "#9aa4b2";
const FLEET: &str = "#0f9fb8";

const WIDTH: f64 = 720.0;
/// Where bars begin, and how long the longest is.
const LEFT: f64 = 250.0;
const LONGEST: f64 = 390.0;
const ROW: f64 = 18.0;
const TITLE: f64 = 30.0;

/// The picture as SVG. Bars of one scenario have one scale, because an edit of a leaf
/// costs a hundredth of a cold build.
pub(super) fn svg(subject: &Subject, outcomes: &Outcomes) -> String {
    let mut body = String::new();
    let mut y = 8.0;
    for scenario in SCENARIOS {
        let bars = bars(outcomes, scenario);
        if bars.is_empty() {
            continue;
        }
        let most = bars.iter().map(|(_, ratio)| *ratio).fold(1.0, f64::max);
        let _ = writeln!(
            body,
            r#"<text x="8" y="{:.0}" font-weight="bold">{}</text>"#,
            y + 16.0,
            scenario.title(subject)
        );
        y += TITLE;
        let top = y;
        for (contestant, ratio) in bars {
            let color = if contestant.is_fleet() { FLEET } else { OTHERS };
            let length = ratio / most * LONGEST;
            let name = contestant.title().replace(['`', '*'], "");
            let _ = writeln!(
                body,
                r#"<text x="{:.0}" y="{:.0}" text-anchor="end">{name}</text><rect x="{LEFT}" y="{:.0}" width="{length:.1}" height="12" rx="2" fill="{color}"/><text x="{:.1}" y="{:.0}">{ratio:.2}</text>"#,
                LEFT - 8.0,
                y + 10.0,
                y,
                LEFT + length + 6.0,
                y + 10.0,
            );
            y += ROW;
        }
        let limit = LEFT + LONGEST / most;
        let _ = writeln!(
            body,
            r#"<path d="M{limit:.1} {:.0}V{:.0}" stroke="{INK}" stroke-dasharray="3 3"/>"#,
            top - 5.0,
            y - 2.0
        );
        y += 8.0;
    }
    let height = y + 22.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"{INK}\">\n\
         <title>Processor time of a build, over go build on the host</title>\n{body}\
         <text x=\"8\" y=\"{:.0}\">Processor time over `go build` on the host (dashed); {}</text>\n</svg>\n",
        height - 8.0,
        subject.title.replace('&', "&amp;").replace('<', "&lt;"),
    )
}

/// Ratios to the host; nothing if the host was not measured.
fn bars(outcomes: &Outcomes, scenario: Scenario) -> Vec<(Contestant, f64)> {
    let cpu = |contestant| Some(middle(outcomes, scenario, contestant)?.ok()?.cpu);
    let Some(host) = cpu(Contestant::Host).filter(|host| *host > 0.0) else {
        return vec![];
    };
    Contestant::ALL
        .into_iter()
        .filter_map(|contestant| Some((contestant, cpu(contestant)? / host)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::compare::table::tests::outcomes;

    #[test]
    fn bars_are_as_long_as_their_ratios() {
        let subject = Subject::example(&[("api", "./cmd/api"), ("web", "./web")]);
        let text = svg(
            &subject,
            &outcomes(&[
                (Scenario::Cold, Contestant::Host, 10.0, 20.0),
                (Scenario::Cold, Contestant::PerService, 20.0, 40.0),
                (Scenario::Shared, Contestant::FleetOne, 1.0, 1.0),
            ]),
        );
        assert!(
            text.contains("width=\"195.0\"") && text.contains("width=\"390.0\""),
            "{text}"
        );
        assert!(text.contains(">2.00</text>"));
        // Without a host there is no ratio.
        assert!(!text.contains("imported by") && text.matches("<rect").count() == 2);
        assert_eq!(
            text.matches("<text").count(),
            text.matches("</text>").count()
        );
    }
}
