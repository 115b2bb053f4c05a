//! What the services of a plan certainly need of the sources: asked for before anything is
//! compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use buildkit_proto::{fsutil, pb};
use futures_util::future::try_join_all;

use super::Session;
use super::sources::Sources;
use crate::closure::{Entry, Listings, of_nothing};
use crate::gateway::{Error, Ref, SpecError};
use crate::lower::ByFile;

/// Bits of a mode, as Go has them.
const DIRECTORY: u32 = 1 << 31;
const LINK: u32 = 1 << 27;
const NOT_REGULAR: u32 = 0x0f28 << 16;

/// All that is wrong, if anything is.
///
/// # Errors
///
/// What the checks found, or the first reason for which one of them found nothing out.
pub(super) fn failed_checks(
    files: Result<(), Error>,
    needs: Result<(), Error>,
) -> Result<(), Error> {
    match (files, needs) {
        (Err(Error::Spec(one)), Err(Error::Files(mut more))) => {
            more.insert(0, one);
            Err(Error::Files(more))
        }
        (files, needs) => files.and(needs),
    }
}

impl Session<'_> {
    /// Checks that everything is there that the services certainly need. `all` includes what
    /// does not end a build of several services.
    pub(super) async fn check_needs(&self, sources: &Sources, all: bool) -> Result<(), Error> {
        let needs = &sources.needs;
        let listings = self.listings(sources).await?;
        let nothing = of_nothing(needs.embeds(), &listings).unwrap_or_default();
        if nothing.is_empty() && needs.is_satisfied() {
            return Ok(());
        }
        let ignore = self.loader.ignore().await?;
        let found = needs.problems((&ignore.rules, ignore.name()), &nothing, all);
        match found.is_empty() {
            true => Ok(()),
            false => Err(Error::Files(self.with_files(sources, found).await?)),
        }
    }

    /// The names that decide what embed patterns match: one call per directory, side by side.
    async fn listings(&self, sources: &Sources) -> Result<Listings, Error> {
        let mut known = Listings::new();
        let mut tree = None;
        while let Err(wanted) = of_nothing(sources.needs.embeds(), &known) {
            let tree = match &tree {
                Some(tree) => tree,
                None => tree.insert(self.solve_output(&sources.assets).await?),
            };
            known.extend(self.list(tree, wanted).await?);
        }
        Ok(known)
    }

    async fn list(&self, tree: &Ref, dirs: BTreeSet<String>) -> Result<Listings, Error> {
        let lists = dirs.into_iter().map(async |dir| {
            let names = match self.gateway.read_dir(tree, &dir, "").await {
                Ok(found) => found.iter().filter_map(entry).collect(),
                Err(error) if error.is_not_found() => BTreeMap::new(),
                Err(error) => return Err(error),
            };
            Ok((dir, names))
        });
        Ok(try_join_all(lists).await?.into_iter().collect())
    }

    /// Problems with the files that they are about, for clients to show lines of them.
    pub(super) async fn with_files(
        &self,
        sources: &Sources,
        by_file: ByFile,
    ) -> Result<Vec<SpecError>, Error> {
        let ignore = self.loader.ignore().await?;
        let mut out = Vec::new();
        for (name, diagnostics) in by_file {
            let file = if !name.is_empty() && name == ignore.name() {
                Arc::clone(&ignore.source_info)
            } else {
                // Without a place there is no file to show.
                Arc::new(match name.as_str() {
                    "" => pb::SourceInfo::default(),
                    name => self.file_of(&sources.scanned, name).await?,
                })
            };
            out.push(SpecError { file, diagnostics });
        }
        Ok(out)
    }
}

fn entry(stat: &fsutil::Stat) -> Option<(String, Entry)> {
    let entry = if stat.mode & DIRECTORY != 0 {
        Entry::Directory
    } else if stat.mode & LINK != 0 {
        Entry::Link
    } else if stat.mode & NOT_REGULAR != 0 {
        return None;
    } else {
        Entry::File
    };
    Some((stat.path.clone(), entry))
}
