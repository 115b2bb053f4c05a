//! The report as people and machines read it.

use super::{Change, Reason, Report};

/// JSON, on several lines.
#[must_use]
pub fn json(report: &Report) -> String {
    // Plain structs with string keys: there is nothing JSON cannot say.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}

/// Lines for `$GITHUB_OUTPUT`: a matrix of service names, and whether there are any.
#[must_use]
pub fn github(report: &Report) -> String {
    let names: Vec<&str> = report.services.iter().map(|s| s.name.as_str()).collect();
    let matrix = serde_json::json!({ "service": names });
    format!("matrix={matrix}\nany={}\n", report.any)
}

/// A few lines per service.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    for service in &report.services {
        out.push_str(&format!("{}\n", service.name));
        for reason in &service.reasons {
            for line in lines(reason) {
                out.push_str(&format!("    {line}\n"));
            }
        }
        if service.more > 0 {
            out.push_str(&format!("    and {} more\n", service.more));
        }
    }
    if !report.any {
        out.push_str("no service is affected\n");
    }
    for name in &report.removed {
        out.push_str(&format!("{name}\n    removed\n"));
    }
    out
}

fn lines(reason: &Reason) -> Vec<String> {
    match reason {
        Reason::New => vec!["new".to_owned()],
        Reason::Unknown { text } => vec![text.clone()],
        Reason::Spec { fields } => vec![format!("the spec differs: {}", fields.join(", "))],
        Reason::Toolchain { from, to } => vec![format!("go {from} → {to}")],
        Reason::Module {
            path,
            from,
            to,
            via,
        } => {
            let version = |v: &Option<String>| v.clone().unwrap_or_else(|| "none".to_owned());
            let via = via.as_ref().map(|via| format!(" via {via}"));
            let via = via.unwrap_or_default();
            vec![format!("{path} {} → {}{via}", version(from), version(to))]
        }
        Reason::Manifest { path, change } => vec![format!("{path} {}", word(*change))],
        Reason::File {
            path,
            change,
            chain,
        } => {
            let mut out = vec![format!("{path} {}", word(*change))];
            out.extend(chain.iter().map(|step| format!("    {step}")));
            out
        }
    }
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Modified => "was modified",
        Change::Added => "was added",
        Change::Deleted => "was deleted",
        Change::Entered => "is now read",
        Change::Left => "is no longer read",
    }
}
