//! What needs real daemons: BuildKit, Docker Engine, a registry.
//!
//! `cargo xtask test` starts the engine, exports its variables and runs these
//! tests with the others. Alone, with an engine that runs:
//!
//! ```sh
//! eval "$(cargo xtask engine env)" && cargo test --test e2e -- --include-ignored
//! ```
//!
//! Tests run side by side, also with those of another run, and on an engine that
//! remembers earlier runs. So every repository they generate and every image they
//! name is unlike every other (`support::repo`), and a test that prunes prunes
//! only what is its own. Nothing here measures time.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod caching;
mod cases;
mod clients;
mod closures;
mod compat;
mod contexts;
mod digests;
mod errors;
mod failures;
mod frontend_image;
mod ground;
mod image;
mod layers;
mod mounts;
mod orders;
mod private;
mod shapes;
mod sharing;
mod support;
mod tool;
mod transfer;
mod upgrades;
mod walls;
