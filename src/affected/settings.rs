//! What the spec says about a service, field by field, without places.
//!
//! Every struct of a plan is taken apart by name here, so that a new field cannot be
//! forgotten.

use std::collections::{BTreeMap, BTreeSet};

use crate::fleet::Member;
use crate::plan::{Build, FileEntry, ImageSettings, Service};

/// Values by field and platform.
type Fields = BTreeMap<(&'static str, String), String>;

/// The fields of the spec that are not the same for a service, by the spec's names.
pub(super) fn differing(base: &Member, head: &Member) -> Vec<String> {
    let (base, head) = (fields(base), fields(head));
    let keys: BTreeSet<_> = base.keys().chain(head.keys()).collect();
    let names: BTreeSet<&str> = keys
        .into_iter()
        .filter(|key| base.get(*key) != head.get(*key))
        .map(|(name, _)| *name)
        .collect();
    // A platform more has all fields more.
    let names: Vec<String> = if names.contains("platforms") {
        vec!["platforms".to_owned()]
    } else {
        names.into_iter().map(str::to_owned).collect()
    };
    names
}

fn fields(member: &Member) -> Fields {
    let mut out = Fields::new();
    let all = String::new;
    // `go` decides the builder, which is compared as such.
    out.insert(("image", all()), format!("{:?}", member.published));
    let platforms: Vec<String> = member
        .plan
        .platforms
        .iter()
        .map(|p| p.platform.to_string())
        .collect();
    out.insert(("platforms", all()), platforms.join(","));
    for platform in &member.plan.platforms {
        let key = platform.platform.to_string();
        for service in &platform.services {
            of_service(service, &mut |field, value| {
                out.insert((field, key.clone()), value);
            });
        }
    }
    out
}

fn of_service(service: &Service, put: &mut impl FnMut(&'static str, String)) {
    let Service {
        name: _,
        span: _,
        place: _,
        main,
        build,
        image,
    } = service;
    put("main", main.value.clone());
    let Build { tags, ldflags, env } = build;
    put("build_tags", format!("{tags:?}"));
    put("ldflags", format!("{ldflags:?}"));
    put("env", format!("{env:?}"));
    let ImageSettings {
        base,
        entrypoint,
        command,
        environment,
        expose,
        labels,
        user,
        working_dir,
        tzdata,
        files,
    } = image;
    put("base", format!("{:?}", base.as_ref().map(|b| &b.value)));
    put("entrypoint", format!("{entrypoint:?}"));
    put("command", format!("{command:?}"));
    put("environment", format!("{environment:?}"));
    put("expose", format!("{expose:?}"));
    put("labels", format!("{labels:?}"));
    put("user", format!("{:?}", user.as_ref().map(|u| &u.value)));
    let working_dir = working_dir.as_ref().map(|dir| &dir.value);
    put("working_dir", format!("{working_dir:?}"));
    put("tzdata", format!("{tzdata:?}"));
    let files: Vec<_> = files
        .iter()
        .map(
            |FileEntry {
                 dest,
                 source,
                 span: _,
             }| (dest, source),
        )
        .collect();
    put("files", format!("{files:?}"));
}
