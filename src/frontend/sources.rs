//! The sources: scanned, and the part of them that a build can read.
//!
//! A client sends twice: first everything that a scan reads, by patterns alone;
//! then the files that closures and `files:` name beyond that. Nothing else leaves
//! the machine, with or without an ignore file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use buildkit_llb::{Foreign, Output};
use buildkit_proto::pb;
use futures_util::future::try_join_all;

use super::Session;
use crate::closure::{Wanted, doubtful_directories, hidden, hidden_sources};
use crate::diag::{Diagnostic, Rule};
use crate::gateway::{ContextQuery, Error, IgnoreFile, SpecError, Warning};
use crate::ignore::{SPEC, build_files};
use crate::lower::{self, Closures, Needs};
use crate::options::NoCache;
use crate::plan::{Plan, Selection};
use crate::scan::{INDEX_FILE, Index, is_inside, join, select};
use crate::survey::MAX_SCANS;

/// Shared key hints of the transfers; roles of their own, so that other builds
/// of the same directory and ours do not replace each other's stored copies.
const CODE_HINT: &str = "gofleet-code";
const ASSETS_HINT: &str = "gofleet-assets";
const HIDDEN_HINT: &str = "gofleet-hidden";

/// The scanned files, and what the scan says about them.
#[derive(Clone)]
pub(super) struct Scanned {
    pub(super) code: Output,
    pub(super) frontend: Output,
    pub(super) index: Arc<Index>,
    /// What was asked for beside what every scan reads.
    asked: Wanted,
}

/// What the services of a plan can see.
pub(super) struct Sources {
    pub(super) scanned: Scanned,
    pub(super) closures: Closures,
    /// Files beyond those that were scanned.
    pub(super) assets: Output,
    /// What the services certainly need of them.
    pub(super) needs: Needs,
    /// How often each download was asked again, by the directory of its module root.
    pub(super) attempts: BTreeMap<String, u32>,
}

impl Scanned {
    /// The same with files for all systems that a plan builds for.
    fn for_plan(mut self, plan: &Plan) -> Self {
        let open = lower::open_words(plan);
        if self.index.open != open {
            Arc::make_mut(&mut self.index).open = open;
        }
        self
    }
}

impl Session<'_> {
    /// Runs the scan step and reads its index. Where services are to be discovered, what
    /// they may be found in is read as well.
    pub(super) async fn scan(&self, discovered: Option<&[String]>) -> Result<Scanned, Error> {
        let ignore = self.loader.ignore().await?;
        let mut asked = Wanted::default();
        let mut scanned = self.scan_with(&asked).await?;
        for _ in 1..MAX_SCANS {
            let mut wanted = Wanted::default();
            if let Some(named) = discovered {
                wanted.mains(named, &scanned.index);
            }
            if !asked.extend(wanted, &ignore.rules) {
                break;
            }
            scanned = self.scan_with(&asked).await?;
        }
        Ok(scanned)
    }

    /// Finds out what the services of a plan can see, and asks for it.
    pub(super) async fn sources(&self, plan: &Plan, scanned: &Scanned) -> Result<Sources, Error> {
        let mut scanned = scanned.clone().for_plan(plan);
        let ignore = self.loader.ignore().await?;
        let mut asked = scanned.asked.clone();
        let mut closures = Closures::of(plan, &scanned.index);
        for _ in 1..MAX_SCANS {
            let mut wanted = closures.wanted(plan, &scanned.index);
            wanted.files.extend(closures.unread(&scanned.index));
            if !asked.extend(wanted, &ignore.rules) {
                break;
            }
            scanned = self.scan_with(&asked).await?.for_plan(plan);
            closures = Closures::of(plan, &scanned.index);
        }
        let irregular = closures.irregular(&scanned.index);
        if !irregular.is_empty() {
            return Err(Error::Files(irregular.into_iter().map(unread).collect()));
        }
        let needs = Needs::of(plan, &scanned.index);
        let known = needs.hidden(&ignore.rules);
        let mut warnings = hidden(closures.iter(), &ignore.rules, ignore.name(), &known);
        warnings.extend(self.hidden_sources(&closures, ignore).await?);
        let warnings = warnings.into_iter().map(|(line, text)| {
            Warning::at_line(Rule::MaybeHidden, text, line, &ignore.source_info)
        });
        let doubts: BTreeSet<_> = closures.iter().flat_map(|c| &c.doubts).collect();
        let doubts = doubts
            .into_iter()
            .map(|doubt| Warning::new(Rule::LargeSource, doubt.to_string()));
        self.show(warnings.chain(doubts)).await?;
        let assets = self.assets(plan, &scanned, &closures).await?;
        Ok(Sources {
            scanned,
            closures,
            assets,
            needs,
            attempts: BTreeMap::new(),
        })
    }

    async fn scan_with(&self, wanted: &Wanted) -> Result<Scanned, Error> {
        let reach = wanted.paths();
        let mut include = select::include_patterns();
        include.extend(wanted.files.iter().map(|path| select::escape(path)));
        // Of a directory only what is in the patterns is sent, and the links on the way.
        let dirs = wanted.dirs.iter().map(|dir| join(dir, "go.mod"));
        let followed: BTreeSet<String> = dirs.chain(wanted.files.iter().cloned()).collect();
        let query = ContextQuery {
            include,
            leave_out: select::leave_out_patterns(&reach),
            exclude: select::exclude_patterns(&reach),
            follow: followed
                .iter()
                .map(|path| select::escape_followed(path))
                .collect(),
            hint: CODE_HINT.to_owned(),
            name: "[internal] load Go sources".to_owned(),
            ..ContextQuery::default()
        };
        let code = self.loader.context(&query).await?;
        let frontend = self.frontend_image()?;
        let fresh = self.options.no_cache == NoCache::All;
        let step = lower::scan_step(&frontend, &code, &reach, fresh)
            .map_err(|error| Error::Internal(error.to_string()))?;
        let tree = self.solve_output(&step).await?;
        let json = self.gateway.read_file(&tree, INDEX_FILE).await?;
        let index: Index = serde_json::from_slice(&json)
            .map_err(|error| Error::Internal(format!("the scan wrote no index: {error}")))?;
        Ok(Scanned {
            code,
            frontend,
            index: Arc::new(index),
            asked: wanted.clone(),
        })
    }

    /// Source files of packages that an ignore file hides. Where a rule makes that
    /// possible, the client is asked for these directories once more, without it.
    async fn hidden_sources(
        &self,
        closures: &Closures,
        ignore: &IgnoreFile,
    ) -> Result<BTreeSet<(u32, String)>, Error> {
        let dirs = doubtful_directories(closures.iter(), &ignore.rules);
        if dirs.is_empty() || !self.loader.is_local().await? {
            return Ok(BTreeSet::new());
        }
        let query = ContextQuery {
            include: dirs
                .iter()
                .flat_map(|dir| select::patterns_of(dir))
                .collect(),
            exclude: vec!["**/*_test.go".to_owned()],
            despite_ignore: true,
            hint: HIDDEN_HINT.to_owned(),
            name: "[internal] look for hidden sources".to_owned(),
            ..ContextQuery::default()
        };
        let source = self.loader.context(&query).await?;
        let tree = self.solve_output(&source).await?;
        let names = try_join_all(dirs.into_iter().map(async |dir| {
            let found = self.gateway.read_dir(&tree, &dir, "").await?;
            let names = found.into_iter().map(|stat| stat.path).collect();
            Ok::<_, Error>((dir, names))
        }));
        let names: BTreeMap<_, _> = names.await?.into_iter().collect();
        Ok(hidden_sources(&names, &ignore.rules, ignore.name()))
    }

    /// The files that copies leave out unless an ignore file takes them back in. Where `files` name
    /// what is called like the spec, it is looked at.
    async fn own_files(&self, files: &[String]) -> Result<Vec<String>, Error> {
        let mut own = build_files(&self.loaded.file_name).to_vec();
        let is_named = |path: &String| {
            files
                .iter()
                .any(|from| from == "." || is_inside(path, from))
        };
        if own[SPEC..].iter().any(is_named) && !self.loader.has_spec().await? {
            own.truncate(SPEC);
        }
        Ok(own)
    }

    /// The files that a plan needs beyond those that were scanned.
    pub(super) async fn assets(
        &self,
        plan: &Plan,
        scanned: &Scanned,
        closures: &Closures,
    ) -> Result<Output, Error> {
        let assets = closures.assets(plan, &scanned.index);
        if assets.is_empty() {
            return Ok(scanned.code.clone());
        }
        let mut query = ContextQuery {
            hint: match &plan.selection {
                Selection::Service(name) => format!("{ASSETS_HINT}-{name}"),
                Selection::All | Selection::Binaries | Selection::Deps => ASSETS_HINT.to_owned(),
            },
            name: "[internal] load other files".to_owned(),
            ..ContextQuery::default()
        };
        // A tree of the graph is not sent, so there is nothing to choose.
        if self.loader.is_local().await? {
            // Go never embeds Git's directory, and every other file that a pattern matches.
            let own = self.own_files(&assets.follow).await?;
            let left_out = own
                .iter()
                .filter(|path| *path == ".git" || !closures.embed(path));
            query.leave_out = left_out.map(|path| select::escape(path)).collect();
            if !assets.follow.iter().any(|path| path == ".") {
                query.include = assets.include;
                query.follow = assets.follow;
            }
        }
        self.loader.context(&query).await
    }

    /// The image that we run from, as the daemon defines it.
    pub(super) fn frontend_image(&self) -> Result<Output, Error> {
        let definition = self.request.frontend_bin.as_ref().ok_or_else(|| {
            Error::Request(
                "this builder does not tell a frontend which image it runs from; \
                 gofleet needs BuildKit 0.12 or newer"
                    .to_owned(),
            )
        })?;
        Foreign::from_definition(definition).map_err(|error| Error::Internal(error.to_string()))
    }
}

/// A problem of a file that nobody should read to show lines of it.
fn unread((path, diagnostic): (String, Diagnostic)) -> SpecError {
    let file = pb::SourceInfo {
        filename: path,
        ..pb::SourceInfo::default()
    };
    SpecError {
        file: Arc::new(file),
        diagnostics: vec![diagnostic],
    }
}
