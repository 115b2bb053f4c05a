//! Looks into base images at the places that files are put to, and into sources that meet
//! something there: `lower` says what it has to know, round by round.

use std::collections::BTreeMap;

use buildkit_llb::Output;
use futures_util::future::{join, try_join_all};

use super::Session;
use super::lookup::LookedUp;
use crate::gateway::{Error, Ref};
use crate::lower::{self, Below, DirMeta, Found, ImageRequest, Places, SourceKind};
use crate::plan::Plan;
use crate::scan::select;

/// Bits of Go's `os.FileMode`, which is what the daemon answers with.
mod go_mode {
    pub(super) const DIR: u32 = 1 << 31;
    pub(super) const SYMLINK: u32 = 1 << 27;
    pub(super) const SETUID: u32 = 1 << 23;
    pub(super) const SETGID: u32 = 1 << 22;
    pub(super) const STICKY: u32 = 1 << 20;
}

impl Session<'_> {
    /// Everything that has to be known about where files of a plan go.
    pub(super) async fn places(
        &self,
        plan: &Plan,
        looked_up: &LookedUp,
        sources: &Output,
    ) -> Result<Places, Error> {
        let mut places = Places::default();
        places.sources.open = true;
        let mut bases: BTreeMap<ImageRequest, Ref> = BTreeMap::new();
        loop {
            let needed = lower::places_needed(plan, &looked_up.images, &looked_up.users, &places)
                .map_err(|problems| self.spec_error(problems))?;
            if needed.is_empty() {
                return Ok(places);
            }
            for (base, ask) in needed {
                let context = async {
                    if ask.sources.is_empty() {
                        return Ok(Vec::new());
                    }
                    let tree = self.solve_output(sources).await?;
                    let looks = ask.sources.iter().map(async |path| {
                        let kind = self.source_kind(&tree, path).await?;
                        Ok::<_, Error>((path.clone(), kind))
                    });
                    try_join_all(looks).await
                };
                let below = async {
                    let Some(image) = base.as_ref().and_then(|b| looked_up.images.get(b)) else {
                        return Ok((None, Vec::new()));
                    };
                    let tree = match base.as_ref().and_then(|base| bases.get(base)) {
                        Some(tree) => tree.clone(),
                        None => self.solve_output(&image.output).await?,
                    };
                    let looks = ask.below.iter().map(async |path| {
                        let found = self.found(&tree, path).await?;
                        Ok::<_, Error>((path.clone(), found))
                    });
                    let found = try_join_all(looks).await?;
                    Ok::<_, Error>((Some(tree), found))
                };
                let (context, below) = join(context, below).await;
                places.sources.found.extend(context?);
                let (tree, found) = below?;
                if let (Some(base), Some(tree)) = (base, tree) {
                    let known = places.below.entry(base.clone());
                    let known = known.or_insert_with(Below::open);
                    for (path, what) in found {
                        known.insert(path, what);
                    }
                    bases.insert(base, tree);
                }
            }
        }
    }

    /// What stands at an absolute path of an image whose parent is a directory. Asking for the
    /// file itself would follow links.
    async fn found(&self, tree: &Ref, path: &str) -> Result<Found, Error> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = if parent.is_empty() { "/" } else { parent };
        let pattern = select::escape(name);
        let entries = self.gateway.read_dir(tree, parent, &pattern).await?;
        let Some(stat) = entries.into_iter().find(|stat| stat.path == name) else {
            return Ok(Found::Nothing);
        };
        let is = |bit: u32| stat.mode & bit != 0;
        Ok(if is(go_mode::SYMLINK) {
            Found::Link(stat.linkname)
        } else if is(go_mode::DIR) {
            let special = [
                (go_mode::SETUID, 0o4000),
                (go_mode::SETGID, 0o2000),
                (go_mode::STICKY, 0o1000),
            ];
            let special = special.iter().filter(|(bit, _)| is(*bit));
            Found::Directory(DirMeta {
                mode: stat.mode & 0o777 | special.map(|(_, mode)| mode).sum::<u32>(),
                uid: stat.uid,
                gid: stat.gid,
            })
        } else {
            Found::File
        })
    }

    async fn source_kind(&self, tree: &Ref, path: &str) -> Result<SourceKind, Error> {
        let is_dir = |mode: u32| mode & go_mode::DIR != 0;
        if path != "." && !is_dir(self.gateway.stat_file(tree, path).await?.mode) {
            return Ok(SourceKind::File);
        }
        let entries = self.gateway.read_dir(tree, path, "").await?;
        let names = entries.into_iter().map(|e| (e.path, is_dir(e.mode)));
        Ok(SourceKind::Directory(names.collect()))
    }
}
