//! Names of fields known from Compose, Dockerfiles and Go tools, and what to write instead.

/// What to say about a name that other tools have: known name, then the hint.
const FOREIGN: &[(&str, &str)] = &[
    (
        "tags",
        "build constraints are `build_tags`; the image name and tag belong in `image`",
    ),
    ("tag", "the image name and tag belong in `image`"),
    (
        "ports",
        "`expose` says what the program listens on; which port of the host it gets is decided when it starts",
    ),
    ("port", "did you mean `expose`?"),
    (
        "build",
        "a service is built by its own settings; write `main: ./cmd/NAME`",
    ),
    (
        "dockerfile",
        "there is no Dockerfile; a service needs its `main` only",
    ),
    (
        "context",
        "the context is the argument of `docker buildx build`",
    ),
    (
        "target",
        "each service is a target; `default_target` at the top level chooses one",
    ),
    ("cmd", "did you mean `command`?"),
    (
        "args",
        "arguments of the program are `command`; build args need no declaration",
    ),
    (
        "env_file",
        "an image takes no variables from a file; write them in `environment`",
    ),
    (
        "volumes",
        "`files` puts files into the image; volumes are chosen when it starts",
    ),
    ("configs", "`files` puts files into the image"),
    (
        "goproxy",
        "it belongs in `modules` at the top level: `modules: {GOPROXY: …}`",
    ),
    (
        "goprivate",
        "it belongs in `modules` at the top level: `modules: {GOPRIVATE: …}`",
    ),
    (
        "container_name",
        "a container is named when it starts; the key of the service names the image",
    ),
    ("name", "the key of the service is its name"),
    (
        "version",
        "a spec has no version; the `# syntax=` line says what reads it",
    ),
    ("workdir", "did you mean `working_dir`?"),
    (
        "goflags",
        "flags have fields of their own: `build_tags`, `ldflags`",
    ),
    (
        "flags",
        "flags have fields of their own: `build_tags`, `ldflags`",
    ),
    (
        "gcflags",
        "compiler flags are not there yet in this version",
    ),
    ("cgo", "leave it out: this version builds without cgo"),
    ("race", "the race detector is not there yet in this version"),
    ("pgo", "profiles are not there yet in this version"),
    (
        "healthcheck",
        "health checks are not there yet in this version",
    ),
    (
        "stop_signal",
        "the stop signal is not there yet in this version",
    ),
    ("depends_on", "the order of starting is up to Compose"),
    ("restart", "restarting is up to what runs the container"),
    ("networks", "networks are up to what runs the container"),
    ("platform", "did you mean `platforms`? it takes a list"),
    (
        "goos",
        "the system and processor are in `platforms`: `linux/arm64`",
    ),
    (
        "goarch",
        "the system and processor are in `platforms`: `linux/arm64`",
    ),
    ("go_version", "did you mean `go`?"),
    ("goversion", "did you mean `go`?"),
    ("dir", "did you mean `main`? it is relative to the context"),
    ("path", "did you mean `main`?"),
    ("package", "did you mean `main`?"),
    ("binary", "the binary is named like the service"),
    ("builds", "services are under `services`"),
    ("apps", "services are under `services`"),
    ("default", "did you mean `defaults`?"),
    ("repository", "the image name and tag belong in `image`"),
    (
        "registry",
        "the image name and tag belong in `image`, with its registry",
    ),
    ("base_image", "did you mean `base`?"),
    ("from", "did you mean `base`?"),
    ("baseimage", "did you mean `base`?"),
    ("copy", "did you mean `files`? it takes `DEST: SOURCE`"),
    ("buildtags", "did you mean `build_tags`?"),
];

/// The hint for a name known from another tool; case, `-` and `_` do not matter.
pub(crate) fn hint(name: &str) -> Option<&'static str> {
    let plain = |s: &str| s.replace(['-', '_'], "").to_lowercase();
    let wanted = plain(name);
    FOREIGN
        .iter()
        .find(|(known, _)| plain(known) == wanted)
        .map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::fields::FIELDS;

    #[test]
    fn known_names_are_no_fields() {
        for (name, _) in FOREIGN {
            assert!(FIELDS.iter().all(|f| f.name != *name), "{name}");
        }
        assert!(hint("env-file").is_some() && hint("WorkDir").is_some());
        assert!(hint("main").is_none());
    }
}
