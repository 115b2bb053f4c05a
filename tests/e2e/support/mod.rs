//! What the tests share: the engine, its commands, and readers for what they answer.

pub(crate) mod bake;
pub(crate) mod build;
pub(crate) mod command;
pub(crate) mod daemon;
pub(crate) mod elf;
pub(crate) mod engine;
pub(crate) mod fleet;
pub(crate) mod git;
pub(crate) mod login;
pub(crate) mod oci;
pub(crate) mod private;
pub(crate) mod progress;
pub(crate) mod raw;
pub(crate) mod registry;
pub(crate) mod repo;
pub(crate) mod usage;

#[path = "../../shared/copy.rs"]
mod copy;
#[path = "../../shared/go_flags.rs"]
pub(crate) mod go_flags;
#[path = "../../shared/refused_flags.rs"]
pub(crate) mod refused_flags;
