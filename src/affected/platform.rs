//! Files in a package's directory that no platform of the service compiles.
//!
//! They are in its closure, because a closure serves all platforms; but an edit of
//! them changes no image.

use std::fs;

use super::compare::Side;
use crate::closure::Source;
use crate::scan::{constraint, gofile};

/// Whether a file of a closure is in no build of the service. In doubt it is in one.
pub(super) fn is_left_out(side: Side<'_>, path: &str) -> bool {
    let Some(closure) = &side.member.closure else {
        return false;
    };
    let is_source = matches!(side.member.files.get(path), Some(Source::Directory(_)));
    let is_named =
        closure.files.contains_key(path) || closure.embeds.iter().any(|embed| embed.covers(path));
    if !is_source || is_named {
        return false;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    let text = match name.rsplit_once('.') {
        Some((_, "go")) => {
            let bytes = fs::read(side.fleet.root.join(path)).unwrap_or_default();
            match gofile::head(&bytes, true) {
                Some(head) => head.constraint,
                None => return false,
            }
        }
        Some((_, "syso")) => None,
        // Other files may be included by name.
        _ => return false,
    };
    let constraints = [constraint::of_name(name), text];
    let platforms = &side.member.plan.platforms;
    !platforms.is_empty()
        && platforms.iter().all(|plan| {
            let (os, arch) = (&plan.platform.os, &plan.platform.arch);
            plan.services.iter().all(|service| {
                let tags = &service.build.tags;
                let holds = |c: &String| constraint::may_hold_on(c, tags, os, arch);
                !constraints.iter().flatten().all(holds)
            })
        })
}
