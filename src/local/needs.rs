//! What the services of a plan certainly need, looked up on this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{Local, Problem};
use crate::closure::{Entry, Listings, of_nothing};
use crate::ignore::Rules;
use crate::lower::{self, ByFile, Closures, Needs};
use crate::plan::Plan;
use crate::scan::{self, Index, Scope, join};
use crate::survey::MAX_SCANS;

impl Local {
    /// What is missing for the services of a plan, by file.
    pub(super) fn lacking(&self, plan: &Plan, index: &Index, all: bool) -> Result<ByFile, Problem> {
        let (rules, name) = self.ignore()?;
        let index = self.index_for(plan, index, &rules)?;
        let needs = Needs::of(plan, &index);
        let mut known = Listings::new();
        while let Err(wanted) = of_nothing(needs.embeds(), &known) {
            for dir in wanted {
                let names = names(&self.context, &dir, &rules);
                known.insert(dir, names);
            }
        }
        let nothing = of_nothing(needs.embeds(), &known).unwrap_or_default();
        Ok(needs.problems((&rules, &name), &nothing, all))
    }

    /// The index with the directories that imports of a plan lead to and that `./...` passes
    /// over.
    fn index_for(&self, plan: &Plan, index: &Index, rules: &Rules) -> Result<Index, Problem> {
        let open = lower::open_words(plan);
        let mut index = index.clone();
        let mut reach = BTreeSet::new();
        for _ in 1..MAX_SCANS {
            index.open.clone_from(&open);
            let missing = Closures::of(plan, &index).missing().into_iter();
            let before = reach.len();
            reach.extend(missing.filter(|dir| rules.hidden_by(dir).is_none()));
            if reach.len() == before {
                break;
            }
            let reach: Vec<String> = reach.iter().cloned().collect();
            let scope = Scope {
                reach: &reach,
                ignore: rules,
            };
            index = scan::scan_scope(&self.context, scope)
                .map_err(|error| Problem::Read(self.context.clone(), error.to_string()))?;
        }
        index.open = open;
        Ok(index)
    }
}

/// The names in a directory that the ignore file leaves there.
fn names(root: &Path, dir: &str, rules: &Rules) -> BTreeMap<String, Entry> {
    let entries = fs::read_dir(root.join(dir)).into_iter().flatten().flatten();
    let found = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let kind = entry.file_type().ok()?;
        let entry = if kind.is_dir() {
            Entry::Directory
        } else if kind.is_file() {
            Entry::File
        } else {
            Entry::Other
        };
        // A hidden directory may hold files that are not hidden.
        let is_hidden = rules.hidden_by(&join(dir, &name)).is_some();
        let gone = is_hidden && !(entry == Entry::Directory && rules.takes_back());
        (!gone).then_some((name, entry))
    });
    found.collect()
}
