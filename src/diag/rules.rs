//! The table of rules: one row per kind of problem.
//!
//! A row has the name shown in brackets, the severity, one line for lists, and the text of the
//! page `docs/diagnostics.md`. Adding a row is all it takes to add a rule; the tests then ask for
//! a case in `tests/it/diagnostics` or in the module that reports it.

use super::Severity;
use std::fmt::Write;

/// Makes the enum and its lookups from the table below.
macro_rules! rules {
    ($($name:ident, $severity:ident, $summary:literal, $page:literal;)+) => {
        /// A kind of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $summary] $name,)+
        }

        impl Rule {
            /// Every rule, in the order of the reference page.
            pub const ALL: &[Rule] = &[$(Rule::$name,)+];

            /// The name shown to users, in PascalCase.
            pub fn name(self) -> &'static str {
                match self { $(Rule::$name => stringify!($name),)+ }
            }

            /// The severity unless a diagnostic says otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Rule::$name => Severity::$severity,)+ }
            }

            /// One line that says what the rule finds.
            pub fn summary(self) -> &'static str {
                match self { $(Rule::$name => $summary,)+ }
            }

            /// The section of the reference page, in Markdown, without heading.
            pub fn text(self) -> &'static str {
                match self { $(Rule::$name => $page,)+ }
            }
        }
    };
}

rules! {
    YamlSyntax, Error, "the spec is not valid YAML",
    "The text cannot be read as YAML. The place is where the reader gave up; the mistake is there \
     or shortly before. Usual causes: a tab in the indentation, a missing space after `:`, an \
     unclosed quote, an alias whose anchor is not defined before it.";

    YamlFeature, Error, "a YAML feature that specs do not use",
    "A spec is one document of plain mappings, lists and scalars. Tags such as `!reset`, several \
     documents in one file and keys that are themselves lists or mappings are not used.";

    TooLarge, Error, "the spec is larger than the limits",
    "Limits keep a hostile or generated file from exhausting memory: 1 MiB of text, 32 levels of \
     nesting, 200,000 nodes after aliases are followed, 1000 services, 1000 items in a list or \
     mapping, 100 platforms, and 1,000,000 values after defaults and platforms are applied.";

    TooManyProblems, Error, "more problems than are shown",
    "A run shows at most 50 problems. The rest shows up when those are gone; often one mistake has \
     many of them.";

    DuplicateKey, Error, "a key is given twice in one mapping",
    "YAML says keys are unique, and most readers silently keep one of the two. Remove one. Two \
     services cannot have one name.";

    InvalidCheck, Error, "a malformed `check`",
    "`# check=skip=UnusedArg,NothingDiscovered;error=true` among the first lines of a spec says which \
     warnings are not shown, `skip=all` for all of them, and whether any other ends the build. The \
     build arg `BUILDKIT_DOCKERFILE_CHECK` takes its place.";

    InvalidMergeKey, Error, "a merge key `<<` that is no mapping",
    "`<<` takes an alias of a mapping, or a list of such aliases. Keys that the mapping has itself \
     win over merged ones.";

    UnknownField, Error, "a field that does not exist",
    "The reference lists all fields (`docs/spec.md`). Fields that start with `x-` are ignored, as \
     in Compose. Names known from Dockerfiles, Compose and Go tools get a hint of their own: \
     `tags` is not taken because it means image tags to one reader and build constraints to \
     another; write `image` or `build_tags`.";

    WrongType, Error, "a value of another type than the field takes",
    "The hint shows the form. YAML reads some words as something other than text (`yes` stays \
     text, `true`, `1.0` and `null` do not); quote them when text is meant.";

    NoServices, Error, "the spec names no service",
    "A spec has at least one service: a name and the directory of its `package main` under \
     `services`, or `discover` with patterns such as `./cmd/...`, which find at least one.";

    InvalidPattern, Error, "a malformed pattern of `discover` or `exclude`",
    "Patterns are those of the go command, for directories below the context: `./cmd/api` is one \
     directory, `./cmd/...` is it with everything below it. `*` and `?` have no meaning in them, \
     and there is no `!`: `exclude` takes directories away.";

    NothingDiscovered, Warning, "a pattern of `discover` that matches no main package",
    "The directory does not exist in the context, or holds no `package main`; an ignore file can \
     hide it. `...` passes over `testdata`, `vendor` and directories that start with `.` or `_`.";

    DuplicateName, Error, "two main packages that would be one service",
    "A discovered service is named after its directory. Where two have one name, or one has that \
     of a service, nobody could say which is meant, and an image would change its content. Give \
     all but one a name of their own under `services` (`NAME: ./dir`), or leave them out with \
     `exclude`.";

    IllegalName, Error, "a service name with characters that names cannot have",
    "A service name becomes a target, a file name and the default image name. It has lower-case \
     letters, digits, `-`, `_` and `.`, starts with a letter or digit, and has at most 63 \
     characters.";

    ReservedName, Error, "a service name that is taken by a target",
    "`all`, `binaries` and `deps` are targets with a meaning of their own. Give the service another \
     name.";

    MissingMain, Error, "a service without `main`",
    "`main` is the directory of the service's `package main`, relative to the context. The short \
     form is `api: ./cmd/api`. With `discover` it can be left out where a discovered directory has \
     the name of the service.";

    InvalidMain, Error, "`main` is no directory below the context",
    "`main` is a directory as in `./cmd/api`, with forward slashes: no import path, no pattern \
     such as `./...`, no `.go` file.";

    NoSuchPackage, Error, "`main` names a directory without a main package",
    "The directory does not exist in the context, or holds no `package main`. A `.dockerignore` \
     (or `FILE.dockerignore`) can hide it.";

    NoModule, Error, "a main package that is in no module",
    "Go builds packages of modules. Neither the directory of the main package nor one above it, up \
     to the context, has a `go.mod`. Usual causes: the context is a sub-directory of the \
     repository, or an ignore file hides `go.mod`.";

    NotAFile, Error, "a source that is no regular file",
    "A Go file, a header, a profile or a manifest that a service can read is a named pipe, a device or \
     a socket. Go would open it and wait for ever, so nothing is built. A directory called `default.pgo` \
     beside a main package is one that Go cannot read as a profile.";

    BrokenLink, Error, "a symbolic link that a build needs and that leads nowhere",
    "Source files, manifests, directories of packages, modules and vendored code, and `default.pgo` \
     may be symbolic links, also links to links. What they lead to has to be in the context: a build \
     has no other files. Links that no service needs may lead anywhere. Go itself would leave out a \
     profile that cannot be read, and say nothing.";

    InvalidIgnoreRule, Error, "a rule of the ignore file that is no pattern",
    "BuildKit ends a build whose ignore file holds such a line, whatever the line is about. A set is \
     written `[a-z]`; a `[` that is meant literally has a backslash before it. `!` takes back in \
     what follows it.";

    NoSuchFile, Error, "a source of `files` that does not exist",
    "The source of an entry of `files` is a file or directory of the context. It is looked up \
     before anything is compiled. Usual causes: a path relative to the service rather than to the \
     context, or an ignore file that hides it. The spec, the ignore file and `.git` are not sent \
     unless the ignore file takes them back in (`!fleet.yaml`).";

    OutsideContext, Error, "a path that leaves the context",
    "Paths in a spec are relative to the build context and stay below it. What lies outside is not \
     sent to the daemon. So it is with the directories of `use` in a `go.work`: Go reads every \
     module of a workspace, also those that a service does not need. A directory of `replace` may be \
     outside while no service imports from it.";

    HiddenSource, Error, "an ignore file hides what a build needs",
    "A rule of `.dockerignore` (or `FILE.dockerignore`) keeps a package or an embedded file out of \
     the context that the named line of a Go file needs on a platform that is built, with the build \
     tags of the service. Rules further down win, so a line `!PATH` takes it back in. What only other \
     platforms may need is a warning.";

    NoSuchImport, Error, "an import of a package that is not there",
    "The import path begins with a module of the repository, and the directory that it means holds \
     no Go file. In a build of several services this is a failure of the one that imports it, and \
     the others are built.";

    NoSuchModule, Error, "a member of a workspace that is no module",
    "The directory of a `use` line in `go.work` has no `go.mod` in the context. Go reads every \
     module of a workspace, also those that a service does not need.";

    NotVendored, Error, "a package or module that `vendor` lacks",
    "The module or workspace has a `vendor` directory, so Go takes every package from there and fetches \
     none, and builds nothing while `vendor/modules.txt` and the `require` and `replace` lines say different \
     things, or while there is no such list and modules are required. `go mod vendor` writes it anew, in a \
     workspace `go work vendor`.";

    MissingSum, Error, "a module that `go.sum` does not know",
    "Go looks into the module for an import, and `go.sum` has no line for it, or none for its `go.mod`. \
     A build adds nothing to `go.sum`, so `go mod tidy` writes the line, and it is committed. In a build of \
     several services this is a failure of the ones that import it, and the others are built. In a workspace \
     every build reads the `go.mod` of whatever a module in `use` requires: the `go.sum` of one of them or \
     `go.work.sum` has its line.";

    ConflictingReplaces, Error, "two `replace` lines that contradict each other",
    "Go takes one thing in place of a module. Where members of a workspace replace the same module at \
     the same version by different things, a `replace` in `go.work` decides.";

    AmbiguousMember, Error, "a module of a workspace that is not one directory",
    "In a workspace each module is one directory, whatever it is required at. Go builds nothing where two \
     `use` lines lead to one module path, or where a `replace` of `go.work` without a version puts something \
     else in place of a module in `use`.";

    OldWorkspace, Error, "a `go.work` that is older than its modules",
    "The `go` line of `go.work` is the version for everything that is built in the workspace, so it is not below \
     that of any module in `use`; Go refuses that from 1.21 on. `go work use` writes the right one.";

    NothingEmbedded, Error, "an embed pattern that matches no file",
    "Each pattern of `//go:embed` has to match a file, and a directory has to hold one; files whose \
     names start with `.` or `_` count only with `all:`. Usual causes: what is embedded is made by a \
     step that did not run before the build, is in no commit, or is hidden by an ignore file.";

    InvalidPath, Error, "a path that cannot be used",
    "Paths inside the image are absolute (`/srv/data`) and have no `..`. A destination of `files` \
     is the path that the source itself gets, so it has no trailing slash.";

    InvalidBuildTag, Error, "a build tag that Go does not take",
    "Build tags have letters, digits, `_` and `.`. Tags are not negated here; constraints such as \
     `!cgo` are written in the Go files.";

    InvalidFlags, Error, "linker flags that cannot be split",
    "`ldflags` are split into words as the go command splits them: at white space, unless a word \
     starts with a quote. A word that holds both kinds of quotes cannot be passed on.";

    RefusedFlag, Error, "a linker flag that is not taken",
    "`ldflags` holds flags that say what is in the binary: `-s`, `-w`, `-X`, `-extldflags=-static` and \
     the like. What names a program, a plugin, or a file to read or write (`-extld`, `-o`, \
     `-cpuprofile`, `@FILE`) is refused: repositories share the caches of a builder, and no value of a \
     spec is run there.";

    ForeignEnv, Error, "a variable in `env` that is not for the toolchain",
    "`env` holds variables for compiling: `GOAMD64`, `GOEXPERIMENT` and the like. What names a \
     program (`CC`, `AR`, `PKG_CONFIG`) or tells a C compiler something is not taken: services are built \
     without cgo, and no value of a spec is run. Variables \
     of the running program go into `environment`. Settings of fetching, such as `GOPROXY`, go into \
     `modules`, because no build step sees them. What `go build` is told by fields of the spec is \
     not set a second time here, so there is no `GOFLAGS`; `-mod=mod` would change `go.mod` in \
     every build: run `go mod tidy` and commit what it writes.";

    UnknownSetting, Error, "a name in `modules` that is no setting of fetching",
    "`modules` holds what the go command reads about where modules come from: `GOAUTH`, \
     `GOINSECURE`, `GONOPROXY`, `GONOSUMDB`, `GOPRIVATE`, `GOPROXY`, `GOSUMDB` and `GOVCS`. \
     Variables for compiling are in `env` of a service or of `defaults`, credentials in `secrets`, \
     and what `go build` is told has fields of its own, so there is no `GOFLAGS`. Proxies of a \
     machine are build args (`HTTPS_PROXY`) or secrets of the same name.";

    PlainCredentials, Error, "a user, password or token in plain text",
    "A URL with `user:password@` or `token@` stands in `modules` or in a build arg. Specs and build \
     args are kept: in the provenance of an image, in the build history, in the daemon's record. \
     Pass the value as a secret instead: `--secret id=GOPROXY,env=GOPROXY` takes it from the \
     variable `GOPROXY`. Better still is a URL without credentials and a `netrc` \
     (`--secret id=netrc,src=$HOME/.netrc`). The message says the line and not the value, and no \
     lines of the spec are shown beside it. For proxies (`HTTPS_PROXY` as a build arg) it is a \
     warning, because Docker's client adds them by itself when its configuration has `proxies`. A \
     credential that was in a build once should be replaced.";

    InvalidSecret, Error, "a malformed entry of `secrets`, or a secret that cannot be used",
    "An entry is what `--secret` of `docker buildx build` takes: `id=netrc,src=~/.netrc`, \
     `id=GIT_AUTH_TOKEN,env=GITHUB_TOKEN`, or an id alone. It names a file or a variable and never \
     holds the secret itself. The ids are the names of `modules`, `HTTPS_PROXY`, `HTTP_PROXY`, \
     `NO_PROXY`, `GIT_AUTH_TOKEN`, `GIT_AUTH_TOKEN.HOST`, `netrc`, `known_hosts`, `ca`, \
     `client_cert` and `client_key`. A path that starts with `~/` is in the home directory.";

    InvalidSsh, Error, "a malformed entry of `ssh`, or an id other than `default`",
    "The download of modules uses the agent `default` and no other: `ssh: [default]`, or \
     `ssh: [default=PATH]` with a socket or a key.";

    NoCgo, Error, "cgo is switched on",
    "Services are compiled with `CGO_ENABLED=0`: static binaries for images without a C library. \
     A program that needs cgo cannot be built by this version.";

    InvalidVariable, Error, "a malformed variable or label",
    "A list entry is `NAME=VALUE`. A name is not empty and has no `=`. An image cannot take values \
     from the machine that runs the build, so every name needs a value: `${NAME}` takes it from \
     `--build-arg`.";

    InvalidImage, Error, "not an image reference",
    "An image reference is `[registry[:port]/]path[:tag][@sha256:…]`. The path is in lower case.";

    InvalidGo, Error, "`go` is neither a version nor a builder image",
    "`go` is a version such as `1.26` or `1.26.3`, at least `1.18`, or the reference of the builder \
     image, such as `golang:1.26-bookworm` or `registry.example.com/golang@sha256:…`. Without it the \
     version is taken from `go.mod`.";

    NoGoImage, Error, "no builder image with the Go that is asked for",
    "The builder image is `golang:VERSION`, with `-alpine` for steps that only compile. The version is \
     that of `go` in the spec, else of the `toolchain` line in `go.work` or `go.mod` where that is newer \
     than the `go` line, else of the `go` line. The registry does not have that image, or not for the \
     builder's platform. `go: VERSION` in the spec takes another version, `go: IMAGE` an image of your \
     own.";

    NoLogin, Error, "a server of a module wants a login",
    "Private modules need a login: a netrc file, a token, an ssh agent or a client certificate, each \
     a secret of the build. The hint has the flag; `docs/private-modules.md` has all of them. Only \
     steps that fetch modules see them. Servers are asked before anything is compiled.";

    UntrustedServer, Error, "a server that is not known",
    "A server is trusted by its certificate, or by its ssh key. Certificates of a company's own \
     authority are given with `--secret id=ca,src=ca.pem`, ssh keys with \
     `--secret id=known_hosts,src=$HOME/.ssh/known_hosts`. Unknown keys are never accepted by \
     themselves.";

    NoGit, Error, "a builder image that lacks a program for fetching",
    "Modules that no module proxy serves come from their repositories, which takes git, and ssh for \
     some. The official `golang` images on Debian have both, those on Alpine have neither. They are \
     not needed where `GOPROXY` names a proxy that has all modules.";

    ModuleNotFound, Error, "a module that its server does not have",
    "The path or the version is wrong, or the server does not say what it has: many answer so for \
     private repositories when they get no login. A private module that a public proxy or checksum \
     database is asked for needs `GOPRIVATE`.";

    ServerUnreachable, Error, "a server that does not answer",
    "The name is unknown to the builder, or nothing answers there. The builder may have another \
     network than your machine: `--add-host`, `--network` and proxies are options of the build. A \
     server that takes the connection and is silent is given up after a while, and so is one that \
     says that it is out of order: that is theirs to mend.";

    ChecksumMismatch, Error, "a module is not what `go.sum` says",
    "Go compares what it fetches with `go.sum`. When they differ, the module was changed on its \
     server, somebody is in between, or a line of `go.sum` is wrong.";

    ModuleUnavailable, Error, "a module that cannot be fetched",
    "The text is what the go command, git or ssh said. A web page, half a file or an empty one is no \
     module: something stands in front of the server, or its file is damaged. Modules that no service needs may be \
     unavailable. Not in a workspace, and not in a module before `go 1.17`: there Go itself reads the \
     `go.mod` of every module of the graph.";

    InvalidPort, Error, "not a port that an image can expose",
    "A port is `8080`, `8080/udp` or a range `8000-8010`. Which port of the host it gets is \
     decided when the container starts, so there is no `8080:80` here.";

    InvalidUser, Error, "not a user",
    "`user` is a name or number, optionally with a group after a colon: `65532:65532`. Numbers are \
     decimal: what YAML knows beside that (`0x3e8`, `0o1750`, `1_000`, `1e3`) would be a name to \
     some readers and another number to others.";

    InvalidPlatform, Error, "not a platform",
    "A platform is `os/arch` or `os/arch/variant` with a pair that Go can compile for, such as \
     `linux/amd64` or `linux/arm/v7`.";

    Contradiction, Error, "two settings that contradict each other",
    "A platform with a variant says which processor Go compiles for: `linux/amd64/v2` is \
     `GOAMD64=v2`, `linux/arm/v6` is `GOARM=6`. A variable of `env` that says something else would \
     make an image whose program does not run where the image says that it does.";

    NotLinux, Error, "an image for a system other than Linux",
    "Images are built for Linux. The target `binaries` compiles for every system that Go knows.";

    InvalidWords, Error, "a command line that cannot be split",
    "`entrypoint` and `command` are split into words as a shell does: quotes group, a backslash \
     takes the next character literally. A quote is not closed, or a backslash ends the text. The \
     right side of an expression, as in `${NAME:-'a b'}`, follows the same rules, and quotes open \
     and close within it.";

    ShellSyntax, Error, "a command line that needs a shell",
    "Nothing in the image runs a shell. `|`, `&`, `;`, `<`, `>`, a backtick and `$(` mean something \
     to a shell only. Quote the character when it is meant literally, or write a list of words.";

    InvalidTemplate, Error, "a malformed `$` expression",
    "Values take `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`, \
     `${NAME?message}`, `${NAME:+other}` and `${NAME+other}`, as in Compose. A literal dollar sign \
     is written `$$`.";

    UnsetArg, Error, "a build arg that has no value",
    "`${NAME}` takes the value of `--build-arg NAME=VALUE`. `SERVICE`, `TARGETPLATFORM`, \
     `TARGETOS` and `TARGETARCH` are set by gofleet where a value belongs to a service. \
     `${NAME:-default}` gives a value when there is none.";

    MaybeHidden, Warning, "an ignore file hides what a build may need",
    "A rule of the ignore file keeps a file out of the context that some build reads, on some platform or \
     with some build tags, perhaps none of those that are built. A line `!PATH` below the rule takes it \
     back in.";

    LargeSource, Warning, "a source that is not read to its end",
    "A source file is larger than what is read of one. What it embeds or includes behind that is not seen, \
     so a build may lack it.";

    WholeManifest, Warning, "a `go.mod` that counts whole",
    "Which lines of `go.mod` and `go.sum` a service depends on could not be found out, for the reason in \
     the message. So an edit of any line builds the service again.";

    LostModules, Warning, "a cache mount that lost its modules",
    "A check that was cached saw modules that are gone now: the mount was pruned, or is another one. They \
     are fetched again and the build goes on; it only takes longer.";

    OldGo, Warning, "a `go` line that no build step runs with",
    "Build steps need flags of Go 1.18, and a `toolchain` line Go 1.21. What asks for an older Go is \
     built by that one, as Go's promise of compatibility has it. `go:` in the spec names another version or \
     an image of your own.";

    UnusedArg, Warning, "a build arg that the spec does not use",
    "A `--build-arg` was given whose name appears nowhere in the spec; it is probably misspelled. \
     Args with a meaning of their own, such as `SOURCE_DATE_EPOCH`, `GOPROXY` and `HTTP_PROXY`, are \
     exempt.";

    InvalidAttest, Error, "a malformed `attest`",
    "`attest` lists attestations as `--attest` of `docker buildx build` takes them: \
     `type=provenance,mode=max`, `type=sbom`.";

    InvalidCache, Error, "`cache` is no way of caching",
    "`mount` keeps modules and compiled code in cache mounts of the builder. `layer` takes them from \
     layers that the target `deps` makes and a cache export carries to other builders. The build \
     arg `GOFLEET_CACHE` wins over `cache` of the spec.";

    InvalidParallel, Error, "`parallel` is no number of builds",
    "`parallel` is how many services of a repository are built side by side, from 1 to 64. The build \
     arg `GOFLEET_PARALLEL` wins over it.";

    InvalidTimeout, Error, "no number of seconds to wait for a server",
    "The build arg `GOFLEET_FETCH_TIMEOUT` is for how many seconds a server may be silent that modules \
     are fetched from, from 1 to 3600.";

    NoTarget, Error, "several services and no target",
    "With one service, that one is built. With several, `--target` names one of them, `all` makes \
     one image with all binaries, and the bake file makes one image per service. `default_target` \
     in the spec chooses a target for builds that name none.";

    UnknownTarget, Error, "a target that does not exist",
    "`--target` takes the name of a service, `all`, `binaries` or `deps`.";

    DuplicateImage, Error, "two services with one image name",
    "The bake file would push two images under one name, and the last one wins. Use `${SERVICE}` \
     in `image`, or give each service its own.";
}

/// The reference page `docs/diagnostics.md`.
pub fn page() -> String {
    let mut out = String::from(
        "# Diagnostics\n\n\
         <!-- Made from the table in src/diag/rules.rs: UPDATE=1 cargo test --test it -->\n\n\
         Every message names its rule in brackets. Errors stop the build; warnings do not.\n\
         All problems of one run are reported together.\n\n\
         `# check=skip=RULE,RULE;error=true` among the first lines of a spec, or the build arg\n\
         `BUILDKIT_DOCKERFILE_CHECK=…`, says which warnings are not shown and whether any other ends the build.\n\n",
    );
    for rule in Rule::ALL {
        let _ = writeln!(
            out,
            "- [{0}](#{1}): {2}",
            rule.name(),
            anchor(*rule),
            rule.summary()
        );
    }
    for rule in Rule::ALL {
        let _ = write!(
            out,
            "\n## {}\n\n{}: {}.\n\n{}\n",
            rule.name(),
            rule.severity().name(),
            rule.summary(),
            rule.text()
        );
    }
    out
}

impl Rule {
    /// Where the section of the reference page about it is.
    #[must_use]
    pub fn url(self) -> String {
        let repository = env!("CARGO_PKG_REPOSITORY");
        format!(
            "{repository}/blob/main/docs/diagnostics.md#{}",
            anchor(self)
        )
    }
}

/// The anchor that Markdown renderers give the rule's heading.
fn anchor(rule: Rule) -> String {
    rule.name().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_section() {
        let page = page();
        for rule in Rule::ALL {
            assert!(
                page.contains(&format!("\n## {}\n", rule.name())),
                "{rule:?}"
            );
            assert!(
                !rule.summary().ends_with('.') && rule.text().ends_with('.'),
                "{rule:?}"
            );
        }
    }
}
