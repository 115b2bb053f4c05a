//! What the services of a plan certainly need, looked up on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Local, Problem};
use crate::closure::{Entry, Listings, of_nothing};
use crate::ignore::Rules;
use crate::lower::{self, ByFile, Needs};
use crate::plan::Plan;
use crate::scan::{Index, join};

impl Local {
    /// What is missing for the services of a plan, by file.
    pub(super) fn lacking(&self, plan: &Plan, index: &Index, all: bool) -> Result<ByFile, Problem> {
        let (rules, name) = self.ignore()?;
        let mut index = index.clone();
        index.open = lower::open_words(plan);
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
        } else if kind.is_symlink() {
            Entry::Link
        } else {
            return None;
        };
        // A hidden directory may hold files that are not hidden.
        let is_hidden = rules.hidden_by(&join(dir, &name)).is_some();
        let gone = is_hidden && !(entry == Entry::Directory && rules.takes_back());
        (!gone).then_some((name, entry))
    });
    found.collect()
}
