//! Modules of builds: fetching them, and the part of `go.mod` and `go.sum` that the build
//! of one service reads.
//!
//! An update of one module is a monorepo's most frequent commit. Whole manifests in
//! every source tree would run every build step again for it; so each service gets
//! the lines of the modules that its build looks into, and no others.
//!
//! Which modules those are is known only after following the imports of fetched
//! packages, so both are one step: fetch, follow, fetch what is still missing. Modules
//! that no service needs are not needed here either, and may be unavailable. On a user's
//! machine the same runs on the module cache there, and fetches nothing.
//!
//! # Files
//!
//! - `modfile`: a `go.mod` as a list of lines;
//! - `cache`: where a module is in the module cache;
//! - `follow`: from the packages that a service imports to the modules it needs;
//! - `slice`: the manifests of a service, cut to those modules;
//! - `verify`: whether Go itself is content with them;
//! - `download`: fetching modules, and what keeps them from being had;
//! - `resolve`: all of it for the services of a spec; `request`: question and answer;
//! - `packed`: the question as it is written;
//! - `ensure`: fetching again what a module cache has lost;
//! - `index`: what Go remembers of modules does not outlive them;
//! - `unhashed`: what of fetched packages Go does not put into its keys;
//! - `looked`: which module cache a check has looked at.
//!
//! # When manifests are left whole
//!
//! - in a workspace all `go.mod` files count for every service, because versions are
//!   chosen over all of them; only `go.sum` lines of modules that are not in the
//!   module graph are dropped. Go itself reads the `go.mod` of every module of the graph
//!   to get there: one that cannot be had is a failure, needed or not;
//! - before `go 1.17` the same, for the graph is loaded whole;
//! - where Go objects to a part of them when it is tried out;
//! - where an import is in no listed module: then Go's own message comes from the whole
//!   files. On a user's machine also where its module is not at hand.

mod cache;
mod download;
mod ensure;
mod follow;
mod index;
mod looked;
mod modfile;
mod packed;
mod request;
mod resolve;
mod sent;
mod slice;
mod temporary;
mod unhashed;
mod verify;

pub use cache::ModuleCache;
pub use ensure::{ensure, is_at_hand};
pub use index::{OWN_NAME, pair};
pub use looked::{LOOKED_FILE, Looked};
pub use modfile::{Module, named};
pub use request::{
    Answer, MODULES_FILE, NEEDED_DIR, NEEDED_FILE, Needed, Request, SERVICES_DIR, ServiceModules,
    ServiceRequest,
};
pub use resolve::resolve;
pub use slice::listed_versions;
pub(crate) use temporary::Temporary;
pub(crate) use unhashed::STAMP;
