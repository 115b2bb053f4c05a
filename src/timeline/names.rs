//! What the name of a vertex says: which build of a bake file, which service, which kind
//! of step.
//!
//! gofleet's names are `[api] go build ./cmd/api`, `[linux/arm64 api] go build …`,
//! `[modules] go mod download`, `[internal] sources of api`, `FROM golang:1.26`; other
//! frontends' are alike. `docker buildx bake` with several targets puts the target first:
//! `[api internal] sources of api`, `[api] exporting to image`.

use std::collections::BTreeSet;

/// What a step is part of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// A service, or whatever stands in brackets.
    Named(String),
    /// Base images, and the frontend's.
    Images,
    /// What happens to results.
    Export,
    /// Preparations.
    Internal,
    /// Anything else.
    Other,
}

/// The parts of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) group: Group,
    /// The rest, without brackets.
    pub(super) label: String,
}

impl Group {
    pub(super) fn label(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Images => "images",
            Self::Export => "export",
            Self::Internal => "internal",
            Self::Other => "other",
        }
    }
}

/// The targets of a bake file, known by names that are `[internal]` in a build of its own.
/// A platform can stand in front of `internal`, too, but a target has no slash.
pub(super) fn targets<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let target = |name: &'a str| {
        let (words, _) = brackets(name)?;
        let (target, rest) = words.split_once(' ')?;
        let internal = rest.rsplit(' ').next() == Some("internal");
        (internal && !target.contains('/')).then(|| target.to_owned())
    };
    names.filter_map(target).collect()
}

/// A name as the target's own build has it, and the target.
pub(super) fn without_target<'a>(
    name: &'a str,
    targets: &BTreeSet<String>,
) -> (String, Option<&'a str>) {
    let Some((words, rest)) = brackets(name) else {
        return (name.to_owned(), None);
    };
    let (first, more) = words.split_once(' ').unwrap_or((words, ""));
    if !targets.contains(first) {
        return (name.to_owned(), None);
    }
    let name = match more {
        "" => rest.to_owned(),
        more => format!("[{more}] {rest}"),
    };
    (name, Some(first))
}

/// Takes a name apart. An export that is part of a bake file's target belongs to it.
pub(super) fn parts(name: &str, target: Option<&str>) -> Name {
    if let Some((words, rest)) = brackets(name) {
        let mut words: Vec<&str> = words.split(' ').collect();
        // A Dockerfile's steps are `[stage 2/5] RUN …`.
        let number = words.pop_if(|word| is_number_of(word));
        let service = words.pop().unwrap_or_default();
        words.extend(number);
        words.push(rest);
        let label = words.join(" ");
        let group = match service {
            "internal" => Group::Internal,
            service => Group::Named(service.to_owned()),
        };
        return Name { group, label };
    }
    let starts = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    let group = if starts(&["FROM ", "docker-image://", "resolve image config "]) {
        Group::Images
    } else if starts(&["exporting ", "pushing ", "sending tarball", "preparing "]) {
        target.map_or(Group::Export, |target| Group::Named(target.to_owned()))
    } else if starts(&["importing cache "]) {
        Group::Images
    } else {
        Group::Other
    };
    let label = name.to_owned();
    Name { group, label }
}

/// `sources of api` belongs to `api`, when there is such a service.
pub(super) fn belongs(label: &str, services: &BTreeSet<String>) -> Option<Group> {
    let (_, whose) = label.rsplit_once(" of ")?;
    let name = whose.rsplit(' ').next()?;
    services
        .contains(name)
        .then(|| Group::Named(name.to_owned()))
}

/// `2/5`
fn is_number_of(word: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    word.split_once('/')
        .is_some_and(|(n, m)| digits(n) && digits(m))
}

/// `[words] rest`
fn brackets(name: &str) -> Option<(&str, &str)> {
    let (words, rest) = name.strip_prefix('[')?.split_once(']')?;
    Some((words.trim(), rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, target: Option<&str>) -> String {
        let Name { group, label } = parts(name, target);
        format!("{}: {label}", group.label())
    }

    #[test]
    fn names_have_parts() {
        assert_eq!(group("[api] go build .", None), "api: go build .");
        assert_eq!(
            group("[linux/arm64 api] go build .", None),
            "api: linux/arm64 go build ."
        );
        assert_eq!(
            group("[linux/arm64 base 2/5] RUN x", None),
            "base: linux/arm64 2/5 RUN x"
        );
        assert_eq!(group("[internal] scan", None), "internal: scan");
        assert_eq!(group("FROM golang:1.26", None), "images: FROM golang:1.26");
        assert_eq!(
            group("exporting to image", None),
            "export: exporting to image"
        );
        assert_eq!(
            group("exporting to image", Some("api")),
            "api: exporting to image"
        );
        assert_eq!(group("[broken", None), "other: [broken");
        assert_eq!(group("", None), "other: ");
    }

    #[test]
    fn targets_of_bake_files_are_told_from_platforms() {
        let names = [
            "[api internal] scan",
            "[linux/arm64 internal] x",
            "[api api] go build",
        ];
        let targets = targets(names.into_iter());
        assert_eq!(targets, BTreeSet::from(["api".to_owned()]));
        let strip = |name| without_target(name, &targets);
        assert_eq!(
            strip("[api linux/arm64 api] x"),
            ("[linux/arm64 api] x".to_owned(), Some("api"))
        );
        assert_eq!(strip("[api] FROM x"), ("FROM x".to_owned(), Some("api")));
        assert_eq!(strip("[modules] x"), ("[modules] x".to_owned(), None));
    }

    #[test]
    fn preparations_belong_to_services() {
        let services = BTreeSet::from(["api".to_owned()]);
        let api = Some(Group::Named("api".to_owned()));
        assert_eq!(belongs("sources of api", &services), api);
        assert_eq!(belongs("check modules of linux/arm64 api", &services), api);
        assert_eq!(belongs("imports of all services", &services), None);
    }
}
