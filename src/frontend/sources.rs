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
use crate::closure::{doubtful_directories, hidden, hidden_sources};
use crate::diag::Diagnostic;
use crate::gateway::{ContextQuery, Error, IgnoreFile, SpecError, Warning};
use crate::ignore::build_files;
use crate::lower::{self, Closures, Needs};
use crate::options::NoCache;
use crate::plan::{Plan, Selection};
use crate::scan::{INDEX_FILE, Index, select};
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
}

/// What the services of a plan can see.
pub(super) struct Sources {
    pub(super) scanned: Scanned,
    pub(super) closures: Closures,
    /// Files beyond those that were scanned.
    pub(super) assets: Output,
    /// What the services certainly need of them.
    pub(super) needs: Needs,
    /// Whether downloads name the modules that cannot be had, instead of failing.
    pub(super) report: bool,
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
    /// Runs the scan step and reads its index.
    pub(super) async fn scan(&self) -> Result<Scanned, Error> {
        self.scan_with(&[], &[]).await
    }

    /// Finds out what the services of a plan can see, and asks for it.
    pub(super) async fn sources(&self, plan: &Plan, scanned: &Scanned) -> Result<Sources, Error> {
        let mut scanned = scanned.clone().for_plan(plan);
        let ignore = self.loader.ignore().await?;
        let mut asked = BTreeSet::new();
        let mut included = BTreeSet::new();
        let mut closures = Closures::of(plan, &scanned.index);
        for _ in 1..MAX_SCANS {
            let visible = |path: &String| ignore.rules.hidden_by(path).is_none();
            let before = asked.len() + included.len();
            asked.extend(closures.missing().into_iter().filter(visible));
            included.extend(closures.unread(&scanned.index).into_iter().filter(visible));
            if asked.len() + included.len() == before {
                break;
            }
            let reach: Vec<String> = asked.iter().cloned().collect();
            let files: Vec<String> = included.iter().cloned().collect();
            scanned = self.scan_with(&reach, &files).await?.for_plan(plan);
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
        let warnings = warnings
            .into_iter()
            .map(|(line, short)| Warning::at_line(short, line, &ignore.source_info));
        let doubts: BTreeSet<_> = closures.iter().flat_map(|c| &c.doubts).collect();
        let doubts = doubts
            .into_iter()
            .map(|doubt| Warning::new(doubt.to_string()));
        self.show(warnings.chain(doubts)).await?;
        let assets = self.assets(plan, &scanned, &closures).await?;
        Ok(Sources {
            scanned,
            closures,
            assets,
            needs,
            report: false,
        })
    }

    /// A scan of what patterns choose, of directories that they pass over, and of files that
    /// assembly includes by other names.
    async fn scan_with(&self, reach: &[String], files: &[String]) -> Result<Scanned, Error> {
        let mut include = select::include_patterns();
        include.extend(files.iter().map(|path| select::escape(path)));
        let mut exclude = select::exclude_patterns(reach);
        exclude.extend(
            files
                .iter()
                .map(|path| format!("!{}", select::escape(path))),
        );
        let query = ContextQuery {
            include,
            exclude,
            follow: reach
                .iter()
                .map(|dir| select::escape_followed(dir))
                .collect(),
            hint: CODE_HINT.to_owned(),
            name: "[internal] load Go sources".to_owned(),
            ..ContextQuery::default()
        };
        let code = self.loader.context(&query).await?;
        let frontend = self.frontend_image()?;
        let fresh = self.options.no_cache == NoCache::All;
        let step = lower::scan_step(&frontend, &code, reach, fresh)
            .map_err(|error| Error::Internal(error.to_string()))?;
        let tree = self.solve_output(&step).await?;
        let json = self.gateway.read_file(&tree, INDEX_FILE).await?;
        let index: Index = serde_json::from_slice(&json)
            .map_err(|error| Error::Internal(format!("the scan wrote no index: {error}")))?;
        Ok(Scanned {
            code,
            frontend,
            index: Arc::new(index),
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
            let own = build_files(&self.loaded.file_name);
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
