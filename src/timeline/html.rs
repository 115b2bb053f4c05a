//! A chart as a page of its own: the picture, what failed, the longest chain as a table.

use super::layout::Chart;
use super::svg::{self, escape};
use super::time::in_words;

const STYLE: &str = "\
:root{color-scheme:light dark}
body{margin:0 auto;max-width:1200px;padding:8px;font:14px system-ui,sans-serif}
svg{max-width:100%;height:auto}
h2{font-size:16px;margin:24px 16px 8px}
table{margin:0 16px;border-collapse:collapse}
th,td{padding:3px 24px 3px 0;text-align:left;font-weight:400}
th{opacity:.7}
td.n,th.n{text-align:right}
pre{margin:0 16px 12px;white-space:pre-wrap}
@media (prefers-color-scheme:dark){body{background:#15181c;color:#e8eaed}}
";

/// Draws a chart as a page.
pub(super) fn draw(chart: &Chart) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Build timeline: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        escape(&chart.facts.join(", "))
    );
    page.push_str(&svg::draw(chart));
    if !chart.failures.is_empty() {
        page.push_str("<h2>Failed</h2>\n");
        for (name, error) in &chart.failures {
            let (name, error) = (escape(name), escape(error));
            page.push_str(&format!("<pre><b>{name}</b>\n{error}</pre>\n"));
        }
    }
    if chart.chain.len() > 1 {
        page.push_str("<h2>Longest chain of inputs</h2>\n<table>\n");
        page.push_str(
            "<tr><th>step</th><th class=\"n\">started</th><th class=\"n\">took</th></tr>\n",
        );
        for link in &chart.chain {
            page.push_str(&format!(
                "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n",
                escape(&link.name),
                in_words(link.start),
                in_words(link.took)
            ));
        }
        page.push_str("</table>\n");
    }
    page.push_str("</body>\n</html>\n");
    page
}
