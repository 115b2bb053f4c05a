//! gofleet: a BuildKit frontend for repositories that hold many Go services.
//!
//! # Steps
//!
//! A request flows through the modules in this order:
//!
//! 1. [`options`]: what the client asked for;
//! 2. [`spec`]: `fleet.yaml`, with the place of every value;
//! 3. [`plan`]: services after defaults, expansion and validation;
//! 4. [`scan`]: what the sources hold, and [`closure`]: which of it a service can see;
//! 5. [`lower`]: the graph and the image configurations ([`image`]);
//! 6. [`gateway`]: everything that talks to the daemon.
//!
//! Steps of the graph run our own program for four things: [`scan`], [`fetch`] with
//! [`modules`], [`share`] and [`deps`].
//!
//! [`frontend`] is these steps for the daemon, [`local`] without one, with sources as
//! [`survey`] finds them on this machine and [`fleet`] joins them; [`affected`] compares
//! two of those; [`diag`] is how all of them talk to people,
//! [`mod@ignore`] reads their ignore files. [`timeline`] draws what a daemon reports of a
//! build.
//! `ARCHITECTURE.md` has the map.

pub mod affected;
pub mod cli;
pub mod closure;
pub mod deps;
pub mod diag;
pub mod fetch;
pub mod fleet;
pub mod frontend;
#[doc(hidden)]
pub mod fuzzing;
pub mod gateway;
mod hex;
pub mod ignore;
pub mod image;
pub mod local;
pub mod lower;
pub mod modules;
mod names;
pub mod options;
pub mod plan;
pub mod scan;
pub mod share;
pub mod spec;
pub mod survey;
#[cfg(test)]
mod testing;
pub mod timeline;
mod turn;
mod versions;
