//! Packs a directory into an archive, on a real daemon:
//!
//! ```text
//! cargo run -p buildkit-llb --example solve |
//!     buildctl build --no-cache --local src=examples/hello --output type=local,dest=out
//! ```

use std::error::Error;
use std::io::Write;

use buildkit_llb::{Describe, Exec, Mount, Output, Source, encode_definition};

/// The graph: an image, a directory of the client, and a process that sees both.
pub fn graph() -> Result<Output, buildkit_llb::Error> {
    let image = Source::image("golang:1.26-alpine").build();
    let source = Source::local("src").exclude([".git"]).build();
    Exec::new(["tar", "-cf", "/out/src.tar", "-C", "/src", "."])
        .mount(Mount::bind("/", &image).readonly())
        .mount(Mount::bind("/src", &source).readonly())
        .mount(Mount::scratch("/out"))
        .name("pack the sources")
        .build()
        .output("/out")
}

/// Writes the definition to standard output, for `buildctl`.
pub fn main() -> Result<(), Box<dyn Error>> {
    let definition = encode_definition(&graph()?.marshal());
    std::io::stdout().write_all(&definition)?;
    Ok(())
}
