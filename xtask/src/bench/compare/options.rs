//! The command line of `cargo xtask bench compare`.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::contestant::Contestant;
use super::scenario::Scenario;

/// Sizes of generated monorepos without `--services`.
const SIZES: [usize; 3] = [4, 12, 40];

/// What to compare.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) services: Vec<usize>,
    /// The example of this repository.
    pub(super) shop: bool,
    /// A repository, and its spec.
    pub(super) repository: Option<PathBuf>,
    pub(super) spec: String,
    pub(super) rounds: usize,
    pub(super) platforms: bool,
    pub(super) fresh: bool,
    pub(super) many: bool,
    pub(super) contestants: Vec<Contestant>,
    /// The builds of every round, in their order.
    pub(super) scenarios: Vec<Scenario>,
    /// Puts the tables into docs/performance.md.
    pub(super) write: bool,
}

impl Options {
    /// Reads the words after `bench compare`.
    ///
    /// # Errors
    ///
    /// A word is unknown, or has no value.
    pub(super) fn parse(words: &[String]) -> Result<Self> {
        let mut options = Self {
            services: vec![],
            shop: false,
            repository: None,
            spec: "fleet.yaml".to_owned(),
            rounds: 1,
            platforms: false,
            fresh: true,
            many: true,
            contestants: Contestant::ALL.to_vec(),
            scenarios: Scenario::ROUND.to_vec(),
            write: false,
        };
        let (mut only, mut after) = (Vec::new(), Vec::new());
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (name, mut given) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let mut value = || {
                given
                    .take()
                    .or_else(|| words.next().cloned())
                    .with_context(|| format!("`{name}` needs a value"))
            };
            match name {
                "--services" => options.services.push(number(name, &value()?)?),
                "--rounds" => options.rounds = number(name, &value()?)?,
                "--repository" => options.repository = Some(PathBuf::from(value()?)),
                "--spec" => options.spec = value()?,
                "--only" => only.push(contestant(&value()?)?),
                "--after" => after.push(scenario(&value()?)?),
                "--shop" => options.shop = true,
                "--platforms" => options.platforms = true,
                "--no-fresh" => options.fresh = false,
                "--no-many" => options.many = false,
                "--write" => options.write = true,
                _ => bail!("`bench compare` has no option `{word}`\n\n{HELP}"),
            }
            if given.is_some() {
                bail!("`{name}` takes no value");
            }
        }
        if options.services.is_empty() && options.repository.is_none() && !options.shop {
            options.services = SIZES.to_vec();
            options.shop = true;
        }
        if !only.is_empty() {
            // Ratios need it.
            options
                .contestants
                .retain(|one| *one == Contestant::Host || only.contains(one));
        }
        if !after.is_empty() {
            // Other builds need what it leaves.
            options
                .scenarios
                .retain(|one| *one == Scenario::Cold || after.contains(one));
        }
        Ok(options)
    }
}

/// What the options mean.
const HELP: &str = "\
  --services N          a generated monorepo of N services; may be repeated [4 12 40]
  --shop                examples/shop (part of a run without --services and --repository)
  --repository PATH     any repository with a spec; --spec FILE [fleet.yaml] names it
  --rounds N            builds of each kind; the median is shown [1]
  --platforms           also build cold for amd64 and arm64
  --no-fresh            without empty builders that have a registry cache
  --no-many             without the bake file of 50 targets
  --only CONTESTANT     beside the host: per-service, one-step, ko, gofleet-bake,
                        gofleet-hand, gofleet-one; may be repeated
  --after SCENARIO      beside the cold build: nothing, leaf-small, leaf-large, shared, readme,
                        commit, bump; may be repeated
  --write               put the tables into docs/performance.md, and draw docs/performance.svg";

fn number(name: &str, value: &str) -> Result<usize> {
    match value.parse() {
        Ok(0) | Err(_) => bail!("`{name}` takes a number above zero, not `{value}`"),
        Ok(number) => Ok(number),
    }
}

fn contestant(key: &str) -> Result<Contestant> {
    let mut all = Contestant::ALL.into_iter();
    all.find(|one| one.key() == key)
        .with_context(|| format!("there is no contestant `{key}`\n\n{HELP}"))
}

fn scenario(key: &str) -> Result<Scenario> {
    let mut all = Scenario::ROUND.into_iter();
    all.find(|one| one.key() == key)
        .with_context(|| format!("there is no scenario `{key}`\n\n{HELP}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Result<Options> {
        let words: Vec<String> = text.split_whitespace().map(String::from).collect();
        Options::parse(&words)
    }

    #[test]
    fn without_options_everything_is_compared() {
        let options = parse("").unwrap();
        assert_eq!(options.services, SIZES);
        assert!(options.shop && options.fresh && options.many && !options.platforms);
        assert_eq!(options.contestants.len(), 7);
    }

    #[test]
    fn a_size_or_a_repository_is_compared_alone() {
        let options = parse("--services 4 --services=5 --rounds 3 --only ko").unwrap();
        assert_eq!((options.services, options.rounds), (vec![4, 5], 3));
        assert!(!options.shop);
        assert_eq!(options.contestants, [Contestant::Host, Contestant::Ko]);
        assert!(parse("--repository x").unwrap().services.is_empty());
        let shared = parse("--services 4 --after shared").unwrap();
        assert_eq!(shared.scenarios, [Scenario::Cold, Scenario::Shared]);
    }

    #[test]
    fn bad_words_are_answered_with_what_there_is() {
        for bad in [
            "--service 4",
            "--services 0",
            "--rounds",
            "--only x",
            "--after platforms",
            "--write=no",
            "all",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
