//! The table of fields: one row per field of the spec.
//!
//! The reader takes names, types and places from it, and so do the suggestions for unknown fields,
//! the JSON Schema and the reference page. A field that is not here does not exist.

/// Where a field may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// At the top level.
    Top,
    /// In a service.
    Service,
    /// In `defaults`.
    Defaults,
}

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    /// A string.
    Text,
    /// A string that may be written as a number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A list of strings, or one string with commas or spaces between them.
    Items,
    /// A list of ports: strings or numbers.
    Ports,
    /// A command line: a string that is split, or a list of words.
    Command,
    /// Linker flags: a string that is split, or a list of such strings.
    Flags,
    /// A mapping of names to values, or a list of `NAME=VALUE`.
    Variables,
    /// Like [`Type::Variables`], and a name without value has an empty one.
    Labels,
    /// A mapping of paths to paths.
    Paths,
    /// `true`, `false`, a string or a list of strings.
    Attest,
    /// A list of strings, each of which may hold commas; or one such string.
    Entries,
    /// The mapping of services.
    Services,
    /// The settings that services share.
    Defaults,
}

impl Type {
    /// The form, for messages: "expected …".
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Type::Text => "a string",
            Type::Number => "a string or a number",
            Type::Flag => "`true` or `false`",
            Type::Items | Type::Entries => "a list of strings, or a string",
            Type::Ports => "a list of ports",
            Type::Command => "a string or a list of strings",
            Type::Flags => "a string or a list of strings",
            Type::Variables | Type::Labels => "a mapping, or a list of `NAME=VALUE`",
            Type::Paths => "a mapping of destination to source",
            Type::Attest => "`true`, `false`, a string or a list of strings",
            Type::Services => "a mapping of names to services",
            Type::Defaults => "a mapping",
        }
    }

    /// A value on one line.
    fn sample(self) -> &'static str {
        match self {
            Type::Text | Type::Number => "text",
            Type::Flag => "false",
            Type::Items => "[one, two]",
            Type::Ports => "[8080, 9000-9002/udp]",
            Type::Command => "[serve, --port, \"8080\"]",
            Type::Flags => "-X main.version=1.0",
            Type::Variables | Type::Labels => "{NAME: value}",
            Type::Paths => "{/etc/app.conf: deploy/app.conf}",
            Type::Attest => "[type=sbom]",
            Type::Entries => "[id=netrc]",
            Type::Services => "{api: ./cmd/api}",
            Type::Defaults => "{user: \"1000\"}",
        }
    }

    /// Whether a service's mapping is joined with that of `defaults`, key by key.
    pub(crate) fn merges(self) -> bool {
        matches!(self, Type::Variables | Type::Labels | Type::Paths)
    }
}

/// One row.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) places: &'static [Place],
    pub(crate) ty: Type,
    /// What it does, in Markdown sentences. The first sentence stands alone in the schema.
    pub(crate) doc: &'static str,
    /// YAML as it stands at its place, without indentation.
    pub(crate) example: &'static str,
}

const TOP: &[Place] = &[Place::Top];
const SERVICE: &[Place] = &[Place::Service];
const BOTH: &[Place] = &[Place::Service, Place::Defaults];

impl Field {
    /// The field with a value on one line, for hints: "for example …".
    pub(crate) fn sample(&self) -> String {
        match self.example.lines().next() {
            Some(line) if !line.ends_with(':') => line.to_owned(),
            _ => format!("{}: {}", self.name, self.ty.sample()),
        }
    }
}

/// All fields, in the order of the reference page.
pub(crate) const FIELDS: &[Field] = &[
    Field {
        name: "services",
        places: TOP,
        ty: Type::Services,
        doc: "The services by name. A value is the directory of the `package main`, or a mapping \
              of settings. A name has lower-case letters, digits, `-`, `_` and `.`; it becomes the \
              target, the name of the binary and the default image name. The names `all`, \
              `binaries` and `deps` are targets with a meaning of their own.",
        example: "services:\n  api: ./cmd/api\n  worker:\n    main: ./cmd/worker\n    expose: [9090]",
    },
    Field {
        name: "discover",
        places: TOP,
        ty: Type::Items,
        doc: "Patterns of directories whose main packages are services, alone or beside \
              `services`. They are patterns as in `go build`: `./cmd/...` is every main package at \
              or below `cmd`, `./...` is all of them, `./cmd/api` is this one. `...` passes over \
              `testdata`, `vendor`, directories that start with `.` or `_`, symbolic links, and what \
              `go.mod` ignores, as in Go; unlike in Go, it goes into nested modules, and passes over \
              `node_modules`. A directory that is named itself may be any of these. A service has the name that `go build` gives the binary: \
              the last element of the directory, or the one before it when that is a version such \
              as `v2`; in the root of the context, the last element of the module path. An entry \
              of `services` whose `main` is a discovered directory takes its place, under the \
              entry's own name; an entry without `main` adds settings to the discovered service \
              of its name. Two services of one name are an error, so that new code never renames \
              an image. A pattern that matches nothing is a warning.",
        example: "discover: [./cmd/..., ./tools/migrate]\nservices:\n  api:\n    expose: [8080]",
    },
    Field {
        name: "exclude",
        places: TOP,
        ty: Type::Items,
        doc: "Patterns of directories that `discover` leaves out. Entries of `services` stay, \
              whatever they name. A pattern that matches nothing is no problem: it may be there \
              for code that comes and goes.",
        example: "exclude: [./cmd/tools/...]",
    },
    Field {
        name: "defaults",
        places: TOP,
        ty: Type::Defaults,
        doc: "Settings that all services share. A service's own scalars and lists replace them; \
              its mappings (`environment`, `labels`, `env`, `files`) are joined with them key by \
              key, and the service's key wins. Alone, they are the settings of the target `all`.",
        example: "defaults:\n  image: ${REGISTRY:-registry.example.com/shop}/${SERVICE}\n  \
                  environment:\n    LOG_LEVEL: info",
    },
    Field {
        name: "go",
        places: TOP,
        ty: Type::Number,
        doc: "The Go version, or the image that compiles. A version such as `1.26` or `1.26.3` \
              means the official image of that version. Without it, the `toolchain` and `go` lines \
              of `go.mod` decide.",
        example: "go: \"1.26\"\n# or\ngo: golang:1.26-bookworm@sha256:<digest>",
    },
    Field {
        name: "default_target",
        places: TOP,
        ty: Type::Text,
        doc: "What is built when no `--target` is given: a service, `all`, `binaries` or `deps`. Without \
              it, a spec with several services asks for a target.",
        example: "default_target: all",
    },
    Field {
        name: "attest",
        places: TOP,
        ty: Type::Attest,
        doc: "Attestations that the bake file asks for. `false` is the default: an image without \
              attestations keeps its digest when nothing in it changed. `true` leaves the choice \
              to buildx. A string or list is what `--attest` takes.",
        example: "attest:\n  - type=provenance,mode=max\n  - type=sbom",
    },
    Field {
        name: "syntax",
        places: TOP,
        ty: Type::Text,
        doc: "The frontend that BuildKit starts for a spec in JSON, which has no comments for a \
              `# syntax=` line. In YAML it does nothing.",
        example: "syntax: gofleet/gofleet:1",
    },
    Field {
        name: "cache",
        places: TOP,
        ty: Type::Text,
        doc: "Where modules and compiled dependencies come from: `mount`, the cache mounts of the \
              builder, is the default and the fastest on a builder that stays; `layer` is for \
              runners that start empty: layers that the target `deps` makes and `--cache-to` \
              exports. It is a fact of a runner: the build arg `GOFLEET_CACHE` wins over it, and \
              no image depends on it. `docs/ci.md` says when to use which.",
        example: "cache: ${CACHE:-mount}",
    },
    Field {
        name: "parallel",
        places: TOP,
        ty: Type::Number,
        doc: "How many services of a repository are built side by side on one builder, 1 to 64. \
              More need more memory, and gain little beyond the number of processors. The default \
              comes from the processors and the memory of the builder. The build arg \
              `GOFLEET_PARALLEL` wins over it, and no image depends on it.",
        example: "parallel: 4",
    },
    Field {
        name: "modules",
        places: TOP,
        ty: Type::Variables,
        doc: "Where modules come from: `GOAUTH`, `GOINSECURE`, `GONOPROXY`, `GONOSUMDB`, \
              `GOPRIVATE`, `GOPROXY`, `GOSUMDB` and `GOVCS`, as in `go env`. A build arg of the \
              same name wins over it, and a secret over both. Only steps that fetch modules \
              see them, and they are part of no build step's key. A value that holds \
              credentials is an error: it belongs in a secret. `docs/private-modules.md` has more.",
        example: "modules:\n  GOPRIVATE: git.example.com\n  GOPROXY: https://proxy.example.com,direct",
    },
    Field {
        name: "secrets",
        places: TOP,
        ty: Type::Entries,
        doc: "Credentials for the download of modules, as `--secret` takes them, for the bake file \
              and for `--call outline`: `docker buildx build` gets them by the same flag. `src=` \
              is a file and `env=` a variable of the machine that starts the build; `~/` is the \
              home directory there. An id alone is the variable of that name, or else the file. \
              The ids are the names of `modules`, `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, \
              `GIT_AUTH_TOKEN`, `GIT_AUTH_TOKEN.HOST`, `netrc`, `known_hosts`, `ca`, `client_cert` \
              and `client_key`.",
        example: "secrets:\n  - id=netrc,src=~/.netrc\n  - id=GIT_AUTH_TOKEN,env=GITHUB_TOKEN",
    },
    Field {
        name: "ssh",
        places: TOP,
        ty: Type::Entries,
        doc: "The ssh agent for the download of modules, as `--ssh` takes it, for the bake file \
              and for `--call outline`: `default` is the agent of the machine that starts the \
              build, `default=PATH` is another socket or a key.",
        example: "ssh: [default]",
    },
    Field {
        name: "main",
        places: SERVICE,
        ty: Type::Text,
        doc: "The directory of the `package main`, relative to the context. With `discover` it can be \
              left out: then it is the discovered one with the name of the service.",
        example: "main: ./cmd/api",
    },
    Field {
        name: "build_tags",
        places: BOTH,
        ty: Type::Items,
        doc: "Build tags, as `go build -tags` takes them.",
        example: "build_tags: [netgo, osusergo]",
    },
    Field {
        name: "ldflags",
        places: BOTH,
        ty: Type::Flags,
        doc: "Linker flags, added to the default `-s -w -buildid=`. The string is split as the go \
              command splits it, before `${ARG}` is expanded: a value stays within its word.",
        example: "ldflags: -X main.version=${VERSION:-dev}",
    },
    Field {
        name: "env",
        places: BOTH,
        ty: Type::Variables,
        doc: "Variables of the Go and C toolchains while compiling. Variables of the running \
              program are in `environment`.",
        example: "env:\n  GOAMD64: v3",
    },
    Field {
        name: "image",
        places: BOTH,
        ty: Type::Text,
        doc: "Name and tag of the image in the bake file. It is used there alone and is part of no \
              cache key. Its build args become variables of the bake file, so that \
              `REGISTRY=… TAG=… docker buildx bake` sets them. The default is \
              `${REGISTRY:+${REGISTRY}/}${SERVICE}:${TAG:-latest}`.",
        example: "image: ${REGISTRY:-registry.example.com/shop}/${SERVICE}:${TAG:-latest}",
    },
    Field {
        name: "base",
        places: BOTH,
        ty: Type::Text,
        doc: "The base image. The default is an empty image with CA roots, time zones, names of \
              ports and media types, users and `/tmp`; `scratch` says the same.",
        example: "base: gcr.io/distroless/static-debian12",
    },
    Field {
        name: "entrypoint",
        places: BOTH,
        ty: Type::Command,
        doc: "The entrypoint, instead of the binary. A string is split into words as Compose does \
              it, without a shell.",
        example: "entrypoint: [/usr/local/bin/api, serve]",
    },
    Field {
        name: "command",
        places: BOTH,
        ty: Type::Command,
        doc: "The arguments that the entrypoint gets by default. A string is split into words.",
        example: "command: --port 8080 --name 'the api'",
    },
    Field {
        name: "environment",
        places: BOTH,
        ty: Type::Variables,
        doc: "Variables of the running program.",
        example: "environment:\n  PORT: 8080\n  LOG_FORMAT: json",
    },
    Field {
        name: "expose",
        places: BOTH,
        ty: Type::Ports,
        doc: "Ports that the program listens on: a number, a range, with `/tcp` or `/udp`.",
        example: "expose:\n  - 8080\n  - 9000-9002/udp",
    },
    Field {
        name: "labels",
        places: BOTH,
        ty: Type::Labels,
        doc: "Labels of the image. A value that changes with every commit changes every digest.",
        example: "labels:\n  org.opencontainers.image.title: ${SERVICE}",
    },
    Field {
        name: "user",
        places: BOTH,
        ty: Type::Number,
        doc: "The user that the program runs as, with an optional group after a colon: decimal \
              numbers, or names. On scratch a name is 65532; on a base it is what `/etc/passwd` and \
              `/etc/group` there say; `root` is 0, `nobody` and `nogroup` are 65534 everywhere. A \
              number without a group has the group that a base gives it, or else its own. The \
              default is `65532:65532`, or the user of the base. `HOME` is the user's: what a base \
              says is left out when another user runs.",
        example: "user: \"1000:1000\"",
    },
    Field {
        name: "working_dir",
        places: BOTH,
        ty: Type::Text,
        doc: "The working directory, an absolute path in the image. Where it does not exist it is \
              made, and belongs to the user that the program runs as.",
        example: "working_dir: /srv",
    },
    Field {
        name: "files",
        places: BOTH,
        ty: Type::Paths,
        doc: "Files and directories of the context that the image holds, as `DEST: SOURCE`. DEST \
              is the absolute path that SOURCE itself gets. It is what `COPY` does: links of the base \
              image are followed, directories that exist keep their owner and mode, new ones belong \
              to root, as do the files.",
        example: "files:\n  /srv/migrations: db/migrations\n  /etc/shop/mail.tmpl: ./templates/mail.tmpl",
    },
    Field {
        name: "platforms",
        places: BOTH,
        ty: Type::Items,
        doc: "The platforms of the image. `--platform` wins over it; without both it is the \
              daemon's own. For the targets `all` and `binaries` the platforms of `defaults` count.",
        example: "platforms: [linux/amd64, linux/arm64]",
    },
    Field {
        name: "tzdata",
        places: BOTH,
        ty: Type::Flag,
        doc: "Whether the image holds the time zone database; `true` by default.",
        example: "tzdata: false",
    },
];

/// The row of a name at a place.
pub(crate) fn field(name: &str, place: Place) -> Option<&'static Field> {
    FIELDS
        .iter()
        .find(|f| f.name == name && f.places.contains(&place))
}

/// The names at a place, in the order of the table.
pub(crate) fn names(place: Place) -> impl Iterator<Item = &'static str> {
    FIELDS
        .iter()
        .filter(move |f| f.places.contains(&place))
        .map(|f| f.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once_at_a_place() {
        for (i, a) in FIELDS.iter().enumerate() {
            assert!(a.doc.ends_with('.') && !a.places.is_empty(), "{}", a.name);
            assert!(a.example.contains(a.name), "{}", a.name);
            for b in &FIELDS[..i] {
                assert_ne!(a.name, b.name);
            }
        }
    }
}
