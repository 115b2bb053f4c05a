//! Dependencies in layers: for builders that start empty.
//!
//! A cache mount stays on the machine that filled it. A layer goes with a cache export to any
//! other. So the target `deps` puts into layers what the builds of all services have in common:
//! the modules that they read, and these compiled. In front of a build step both are copied into
//! the cache mounts of the builder, where the step finds them as it finds anything else: whether
//! they came in layers is in no build step's key.
//!
//! # Files
//!
//! - `pack`: module cache → layer, without what no build reads;
//! - `compile`: build cache that several steps compile into → layer;
//! - `unpack`: layers → module cache and build cache.

mod compile;
mod pack;
mod unpack;

pub use compile::{Compiled, compile};
pub use pack::pack;
pub use unpack::{Unpacked, unpack};

/// Directory of modules in a layer, laid out as a module cache.
pub const MODULES_DIR: &str = "modules";

/// Directory of compiled packages in a layer, laid out as a build cache.
pub const COMPILED_DIR: &str = "compiled";

/// Directory in packed modules with one empty file, whose name tells its content.
const STAMPS: &str = "cache/gofleet";

/// Packages of the standard library that services use most, and that are compiled ahead.
///
/// The list is the same for every repository: a new import of one of them must not compile all
/// dependencies again. What is missing is compiled by the build that needs it. What a Go version
/// does not have is passed over.
pub const STANDARD: [&str; 62] = [
    "archive/tar",
    "archive/zip",
    "bufio",
    "bytes",
    "cmp",
    "compress/gzip",
    "container/heap",
    "container/list",
    "context",
    "crypto/hmac",
    "crypto/rand",
    "crypto/sha256",
    "crypto/tls",
    "crypto/x509",
    "database/sql",
    "embed",
    "encoding/base64",
    "encoding/binary",
    "encoding/csv",
    "encoding/gob",
    "encoding/hex",
    "encoding/json",
    "encoding/pem",
    "encoding/xml",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "hash/crc32",
    "hash/fnv",
    "html/template",
    "io",
    "io/fs",
    "iter",
    "log",
    "log/slog",
    "maps",
    "math",
    "math/big",
    "math/rand",
    "math/rand/v2",
    "net",
    "net/http",
    "net/http/httputil",
    "net/http/pprof",
    "net/mail",
    "net/netip",
    "net/smtp",
    "net/url",
    "os",
    "os/exec",
    "os/signal",
    "os/user",
    "path",
    "path/filepath",
    "reflect",
    "regexp",
    "runtime/debug",
    "slices",
    "text/tabwriter",
    "text/template",
    "time",
];
