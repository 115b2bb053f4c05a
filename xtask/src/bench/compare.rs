//! `cargo xtask bench compare`: gofleet beside the limit and beside what people use now.
//!
//! The limit is one `go build` of all main packages on the host. The others are two
//! Dockerfiles with bake (`compare/incumbents/`) and ko. All of them build the same
//! repositories, after the same edits, in turn; those that use a daemon use one and the
//! same, which nobody else uses. Frontends of Dockerfiles and of gofleet both come from
//! the registry.
//!
//! ```text
//! options → ground → for each repository: subject → sides → rounds → tables, goals, picture
//! ```

mod contestant;
mod cpu;
mod fresh;
mod goals;
mod ground;
mod incumbents;
mod many;
mod measure;
mod monorepo;
mod options;
mod picture;
mod rounds;
mod scenario;
mod subject;
mod table;
mod worktree;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};

use crate::root;
use ground::Ground;
use options::Options;
use rounds::Outcomes;
use subject::Subject;

/// The page with the results, and what stands around them.
const PAGE: &str = "docs/performance.md";
const PICTURE: &str = "docs/performance.svg";
const BEGIN: &str = "<!-- compare: begin -->";
const END: &str = "<!-- compare: end -->";

/// Compares, and prints tables. `words`: the command line after `bench compare`.
///
/// # Errors
///
/// The command line is wrong, or the machine fails. A build that fails is a row.
pub(crate) fn run(dir: &Path, frontend: &str, words: &[String]) -> Result<()> {
    let options = Options::parse(words)?;
    let repository = options.repository.as_deref().map(Path::canonicalize);
    let repository = repository
        .transpose()
        .context("the repository is not there")?;
    // Two at a time would remove each other's files, and tell nothing about either.
    let lock = File::create(dir.join("lock"))?;
    if lock.try_lock().is_err() {
        bail!("another comparison runs in this clone");
    }
    let ground = Ground::new(dir)?;
    let mut text = String::new();
    let mut drawn: Option<(Subject, Outcomes)> = None;
    let mut compare = |subject: Subject| -> Result<()> {
        let outcomes = rounds::run(&ground, &subject, &options, frontend)?;
        let part = format!(
            "{}\n{}\n",
            table::markdown(&subject, &outcomes),
            goals::markdown(&goals::goals(&outcomes))
        );
        println!("{part}");
        text.push_str(&part);
        // The generated one with the most services, else whatever there is.
        let better = drawn.as_ref().is_none_or(|(old, _)| {
            (subject.bump.is_some(), subject.services.len())
                > (old.bump.is_some(), old.services.len())
        });
        if better {
            drawn = Some((subject, outcomes));
        }
        Ok(())
    };
    for services in &options.services {
        let root = dir.join(format!("mono-{services}"));
        compare(Subject::monorepo(root, *services, frontend)?)?;
    }
    if options.shop {
        compare(Subject::existing(
            &root().join("examples/shop"),
            "fleet.yaml",
        )?)?;
    }
    if let Some(repository) = repository {
        compare(Subject::existing(&repository, &options.spec)?)?;
    }
    if options.many {
        let (subject, outcomes) = many::run(&ground, &options, frontend)?;
        let part = format!(
            "{}\n{}\n",
            table::markdown(&subject, &outcomes),
            goals::markdown(&goals::many(&outcomes))
        );
        println!("{part}");
        text.push_str(&part);
    }
    if options.write {
        write(&text, drawn.as_ref(), options.rounds)?;
    }
    Ok(())
}

/// Puts the tables between the marks of the page, and draws the picture.
fn write(tables: &str, drawn: Option<&(Subject, Outcomes)>, rounds: usize) -> Result<()> {
    let page = root().join(PAGE);
    let old = fs::read_to_string(&page)?;
    let mut part = format!("Rounds: {rounds}.\n\n");
    if let Some((subject, outcomes)) = drawn {
        fs::write(root().join(PICTURE), picture::svg(subject, outcomes))?;
        let name = PathBuf::from(PICTURE);
        let name = name.file_name().unwrap_or_default().to_string_lossy();
        let _ = write!(part, "![processor time over the host's]({name})\n\n");
    }
    part.push_str(tables);
    let new = between(&old, &part)
        .with_context(|| format!("{PAGE} has no `{BEGIN}` and `{END}` to write between"))?;
    Ok(fs::write(&page, new)?)
}

/// The page with another text between its marks.
fn between(page: &str, text: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", text.trim()))
}

/// A word that nothing else has, on this daemon and in its caches.
fn word() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:x}{count:x}", since.as_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_what_is_around_the_marks() {
        let page = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let new = between(&page, "new\n").unwrap_or_default();
        assert_eq!(new, format!("a\n{BEGIN}\nnew\n{END}\nb\n"));
        assert_eq!(between(&new, "new"), Some(new));
        assert_eq!(between("a", "b"), None);
    }

    #[test]
    fn the_page_of_this_repository_has_the_marks() {
        let page = fs::read_to_string(root().join(PAGE)).unwrap_or_default();
        assert!(between(&page, "").is_some());
    }

    #[test]
    fn no_two_words_are_the_same() {
        assert_ne!(word(), word());
    }
}
