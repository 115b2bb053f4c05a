//! Merge keys: `<<: *name` puts the entries of other mappings into this one.

use super::node::{Entry, Kind, Node};
use super::read::Reader;
use crate::diag::{Diagnostic, Rule};
use std::collections::BTreeSet;

impl Reader {
    /// The entries of a mapping after its merge keys; `None` when it is no mapping.
    pub(super) fn mapping(&mut self, node: &Node) -> Option<Vec<Entry>> {
        let Kind::Mapping(entries) = &node.kind else {
            return None;
        };
        if entries.iter().all(|e| e.key != "<<") {
            return Some(entries.clone());
        }
        let own = |e: &&Entry| e.key != "<<";
        let mut merged: Vec<Entry> = entries.iter().filter(own).cloned().collect();
        let mut keys: BTreeSet<String> = merged.iter().map(|e| e.key.clone()).collect();
        for entry in entries.iter().filter(|e| e.key == "<<") {
            let sources: Vec<&Node> = match &entry.value.kind {
                Kind::Mapping(_) => vec![&entry.value],
                Kind::List(items) => items.iter().map(|i| &**i).collect(),
                Kind::Scalar(_) => Vec::new(),
            };
            let all_mappings = sources.iter().all(|n| matches!(n.kind, Kind::Mapping(_)));
            if !all_mappings || (sources.is_empty() && !matches!(entry.value.kind, Kind::List(_))) {
                let message = format!(
                    "expected an alias of a mapping for `<<`, found {}",
                    entry.value.describe()
                );
                self.push(
                    Diagnostic::new(Rule::InvalidMergeKey, message)
                        .at(entry.key_span)
                        .hint("write `<<: *name` with an anchor `&name` on a mapping before it"),
                );
                continue;
            }
            for source in sources {
                for entry in self.mapping(source).unwrap_or_default() {
                    // The mapping's own keys win, then those merged first.
                    if keys.insert(entry.key.clone()) {
                        merged.push(entry);
                    }
                }
            }
        }
        Some(merged)
    }
}
