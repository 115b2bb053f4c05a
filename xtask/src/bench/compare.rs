//! `cargo xtask bench compare`: gofleet beside the limit and beside what people use now.
//!
//! The limit is one `go build` of all main packages on the host. The others are two
//! Dockerfiles with bake (`compare/incumbents/`) and ko. All of them build the same
//! repositories, after the same edits, in turn; those that use a daemon use one and the
//! same, which nobody else uses. Frontends of Dockerfiles and of gofleet both come from
//! the registry.
//!
//! ```text
//! options → ground → for each repository: subject → sides → rounds → table, goals → page, picture
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
mod page;
mod picture;
mod rounds;
mod scenario;
mod subject;
mod table;
mod worktree;

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};

use crate::root;
use goals::Goal;
use ground::Ground;
use options::Options;
use page::Section;
use rounds::Outcomes;
use subject::Subject;

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
    let mut sections: Vec<Section> = Vec::new();
    let mut drawn: Option<(Subject, Outcomes)> = None;
    let mut report = |subject: &Subject, table: String, goals: &[Goal]| {
        let command = page::command(words);
        let goals = goals::markdown(goals);
        let section = Section {
            title: subject.title.clone(),
            body: format!("`{command}`. {table}\n{goals}"),
        };
        println!("{}", section.markdown());
        sections.push(section);
    };
    let mut compare = |subject: Subject| -> Result<()> {
        let outcomes = rounds::run(&ground, &subject, &options, frontend)?;
        report(
            &subject,
            table::markdown(&subject, &outcomes),
            &goals::goals(&outcomes),
        );
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
        report(
            &subject,
            table::markdown(&subject, &outcomes),
            &goals::many(&outcomes),
        );
    }
    if options.write {
        let picture = drawn.map(|(subject, outcomes)| picture::svg(&subject, &outcomes));
        page::write(&sections, picture.as_deref())?;
    }
    Ok(())
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
    fn no_two_words_are_the_same() {
        assert_ne!(word(), word());
    }
}
