#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;

use buildkit_llb::{Platform, Source};

use super::*;
use crate::image::ImageConfig;
use crate::plan::{self, Request};

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn planned(text: &str) -> Plan {
    let request = Request {
        target: None,
        platforms: Vec::new(),
        native: Platform::new("linux", "amd64", ""),
        build_args: BTreeMap::new(),
        file_name: "fleet.yaml".into(),
    };
    let spec = format!("{text}services: {{api: .}}\n");
    plan::plan(&plan::read(&spec, &request).unwrap(), &request).unwrap()
}

/// The owner when these images were found for those that were asked for.
fn owner(plan: &Plan, found: &[(&str, Origin)]) -> Option<Owner> {
    let builders: Vec<(&str, Builder)> = found
        .iter()
        .map(|(asked, origin)| {
            let builder = Builder {
                output: Source::image(*asked).build(),
                config: ImageConfig::default(),
                origin: origin.clone(),
            };
            (*asked, builder)
        })
        .collect();
    Owner::of(
        plan,
        builders.iter().map(|(asked, builder)| (*asked, builder)),
    )
}

fn registry(reference: &str) -> Origin {
    Origin::Registry(format!("{reference}@{DIGEST}"), DIGEST.to_owned())
}

#[test]
fn official_images_that_we_chose_share_with_everybody() {
    for spec in [
        "",
        "go: 1.26\n",
        "modules: {GOAUTH: netrc}\n",
        "modules: {GOAUTH: off}\n",
    ] {
        let found = [
            (
                "golang:1.26-alpine",
                registry("docker.io/library/golang:1.26-alpine"),
            ),
            ("golang:1.26", registry("docker.io/library/golang:1.26")),
        ];
        assert_eq!(owner(&planned(spec), &found), None, "{spec}");
    }
}

#[test]
fn whoever_chooses_a_program_has_mounts_of_its_own() {
    let plain = planned("");
    let official = registry("docker.io/library/golang:1.26");
    let own = |plan: &Plan, asked: &str, origin: Origin| owner(plan, &[(asked, origin)]).unwrap();
    let named = planned("go: golang:1.26-bookworm\n");
    let owners = [
        // Named in the spec, official or not.
        own(
            &named,
            "golang:1.26-bookworm",
            Origin::Registry("golang:1.26-bookworm".into(), "1".into()),
        ),
        // Replaced by a context or a policy.
        own(
            &plain,
            "golang:1.26",
            Origin::Registry("evil.example/golang:1.26".into(), "2".into()),
        ),
        own(
            &plain,
            "golang:1.26",
            Origin::Registry("golang:1.25".into(), "3".into()),
        ),
        own(&plain, "golang:1.26", Origin::Content("4".into())),
        own(&plain, "golang:1.26", Origin::Session("5".into())),
        // A version that is a name.
        own(
            &plain,
            "golang:1/evil",
            Origin::Registry("golang:1/evil".into(), "6".into()),
        ),
        // A command.
        own(
            &planned("modules: {GOAUTH: /usr/bin/env x}\n"),
            "golang:1.26",
            official.clone(),
        ),
        own(
            &planned("modules: {GOAUTH: git /src}\n"),
            "golang:1.26",
            official.clone(),
        ),
        own(
            &planned("modules: {GOAUTH: netrc; /bin/x}\n"),
            "golang:1.26",
            official.clone(),
        ),
    ];
    let mut different = owners.to_vec();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), owners.len());

    // By content: the same program is the same owner.
    let again = own(
        &planned("go: x/y\n"),
        "x/y",
        Origin::Registry("x/y:latest".into(), "1".into()),
    );
    assert_eq!(again, owners[0]);
    // One of two images is enough, so that both steps meet.
    let both = [
        ("golang:1.26-alpine", Origin::Content("4".into())),
        ("golang:1.26", official),
    ];
    assert_eq!(owner(&plain, &both), Some(owners[3]));
}

#[test]
fn owners_have_names_of_their_own() {
    let options = Options::from_map(&BTreeMap::new()).unwrap();
    let some = Owner([7; 16]);
    let ids = go_caches(&options, Some(some), CacheMode::Layer);
    let of = format!("gofleet/of-{}", "07".repeat(16));
    assert_eq!(
        ids,
        [format!("{of}/packed-build"), format!("{of}/packed-modules")]
    );
    assert_eq!(
        go_caches(&options, None, CacheMode::Mount),
        ["gofleet/build", "gofleet/modules"]
    );
}
