//! Everything that talks to the daemon.
//!
//! The flow of one request, in the order of the modules:
//!
//! 1. [`mod@serve`] runs it: environment ([`environment`]), wire ([`stdio`],
//!    [`bridge`]), capabilities ([`caps`]), the handler, one `Return`.
//! 2. [`client`], [`images`] and [`hold`] are the calls that the handler makes.
//! 3. [`load`], [`named`] and [`epoch`] load the spec, the ignore file and the
//!    contexts as the Dockerfile frontend loads them.
//! 4. [`result`], [`subrequest`], [`error`] and [`failures`] are the forms of the answer.
//!
//! All I/O of frontend mode is here. Nothing here knows Go, specs or plans.

mod archive;
pub mod bridge;
pub mod caps;
pub mod client;
pub mod environment;
pub mod epoch;
pub mod error;
pub mod failures;
pub mod hold;
pub mod images;
mod limit;
pub mod load;
pub mod named;
pub mod result;
pub mod serve;
pub mod stdio;
pub mod subrequest;

pub use client::{Gateway, Ref, Solve, Warning};
pub use environment::Request;
pub use error::{Error, SpecError};
pub use load::{ContextQuery, IgnoreFile, LoadedSpec, Loader};
pub use result::{FrontendResult, PlatformResult};
pub use serve::{run, serve};
