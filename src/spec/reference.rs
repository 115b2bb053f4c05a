//! The reference page of the spec: made from the table of fields.

use super::fields::{FIELDS, Field, Place};
use std::fmt::Write;

const HEAD: &str = "\
# The spec

<!-- Made from the table in src/spec/fields.rs: UPDATE=1 cargo test --test it -->

A spec lists the Go services of a repository. It is usually called `fleet.yaml`.

```yaml
# syntax=gofleet/gofleet:1
services:
  api: ./cmd/api
  worker: ./cmd/worker
```

`discover: [./cmd/...]` finds the main packages instead, or beside `services`.

It is YAML 1.2: anchors, aliases and merge keys (`<<`) work, tags and several documents do not.
A spec in JSON starts with `{\"syntax\": \"gofleet/gofleet:1\"` or a line `// syntax=gofleet/gofleet:1`.
Fields that start with `x-` are ignored. A spec has at most 1 MiB, 1000 services and 32 levels of nesting.
`docs/spec.schema.json` is the same reference for editors: put
`# yaml-language-server: $schema=…` on the line after the `# syntax=` line.

";

const EXPRESSIONS: &str = "\
## Build args in values

Values (not keys) take build args, as in Compose:

| written | means |
|---|---|
| `${NAME}`, `$NAME` | the value of `--build-arg NAME=…`; an error when there is none |
| `${NAME:-text}` | `text` when there is no value or an empty one |
| `${NAME-text}` | `text` when there is no value |
| `${NAME:?text}`, `${NAME?text}` | an error with this text instead |
| `${NAME:+text}`, `${NAME+text}` | `text` when there is a value, nothing otherwise |
| `$$` | a dollar sign |

`text` may hold further expressions. Build args need no declaration. One that the spec does not use
is a warning.

gofleet itself gives these names a value in services and in `defaults`:

| name | value |
|---|---|
| `SERVICE` | the name of the service; `all` in the image of the target `all` |
| `TARGETPLATFORM` | the platform that is built, such as `linux/arm64` |
| `TARGETOS`, `TARGETARCH` | its parts: `linux`, `arm64` |

`platforms` and `image` are the same for all platforms and see `SERVICE` only.
Command lines and linker flags are split into words before build args are inserted: a value stays
within its word and never becomes a word, an option or a command of its own. `text` is part of the
line: white space separates words there, and quotes group. A word of expressions alone that expands
to nothing is left out (`${DEBUG:+--debug}`), unless it is quoted or an item of a list.
Items of `ldflags` are lines too: each is split like one.

## Targets

| `--target` | what is built |
|---|---|
| a service | the image of the service |
| `all` | one image with all binaries; its settings are those of `defaults` alone |
| `binaries` | the binaries, without an image: `-o out` writes `out/SERVICE` |
| `deps` | modules and compiled dependencies of all services, for `--cache-to`: see [ci.md](ci.md) |
| none | the only service; or `default_target`; otherwise an error |

The platforms of a build are those of `--platform`; else `platforms` of the service (of `defaults`
for `all`, `binaries` and `deps`); else the platform of the daemon. Images are for Linux; `binaries` compiles
for every system that Go knows.

`docker buildx build -f fleet.yaml --call bake .` prints a bake file with one target per service.
Build args are variables of that file: `VERSION=7 docker buildx bake -f bake.hcl`. The file says
`context = GOFLEET_CONTEXT` and `dockerfile = GOFLEET_FILE`, variables that default to `.` and the name
of the spec: set them in the environment of `docker buildx bake` when the context is another directory
or the spec lies in a directory below it.

";

/// The text of `docs/spec.md`.
pub fn reference() -> String {
    let mut out = String::from(HEAD);
    out.push_str("| field | where | takes |\n|---|---|---|\n");
    for field in FIELDS {
        let _ = writeln!(
            out,
            "| [`{0}`](#{0}) | {1} | {2} |",
            field.name,
            places(field),
            field.ty.expected()
        );
    }
    out.push('\n');
    out.push_str(EXPRESSIONS);
    out.push_str("## Fields\n");
    for field in FIELDS {
        let _ = write!(
            out,
            "\n### {}\n\n{}; {}.{}\n\n{}\n\n```yaml\n{}\n```\n",
            field.name,
            capital(field.ty.expected()),
            places(field),
            if field.ty.merges() && field.places.contains(&Place::Defaults) {
                " Joined with that of `defaults`, key by key."
            } else {
                ""
            },
            field.doc,
            field.example
        );
    }
    out
}

fn places(field: &Field) -> &'static str {
    match field.places {
        [Place::Top] => "top level",
        [Place::Service] => "service",
        _ => "service, `defaults`",
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
