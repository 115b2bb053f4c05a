//! The protocol types of BuildKit 0.32, compiled from `.proto` files of our own.
//!
//! Messages are plain [prost] structs. Maps are ordered, so a message has one
//! encoding; see `buildkit-llb` for the encoding whose digests the daemon uses.
//!
//! | module | proto package |
//! |---|---|
//! | [`pb`] | `pb`: LLB operations, definitions, source maps |
//! | [`gateway`] | `moby.buildkit.v1.frontend`: what a frontend asks of the daemon |
//! | [`caps`] | `moby.buildkit.v1.apicaps`: capabilities |
//! | [`worker`] | `moby.buildkit.v1.types`: workers |
//! | [`sourcepolicy`] | `moby.buildkit.v1.sourcepolicy`: rules about sources |
//! | [`fsutil`] | `fsutil.types`: file information |
//! | [`rpc`] | `google.rpc`: the status message |
//! | `errdefs` | not a proto package on the wire: the JSON details of errors |
//!
//! # Features
//!
//! None is on by default.
//!
//! - `client`: `gateway::llb_bridge_client`, for frontends.
//! - `server`: `gateway::llb_bridge_server`, for fake daemons in tests.
//! - `errdefs`: the module `errdefs`.

#[cfg(feature = "errdefs")]
pub mod errdefs;

/// Declares the modules of generated code. They sit side by side in a private
/// tree that has the shape of their proto packages, because generated code
/// refers to its neighbours by relative paths.
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod generated {
    pub mod pb {
        include!(concat!(env!("OUT_DIR"), "/pb.rs"));
    }
    pub mod fsutil {
        pub mod types {
            include!(concat!(env!("OUT_DIR"), "/fsutil.types.rs"));
        }
    }
    pub mod google {
        pub mod rpc {
            include!(concat!(env!("OUT_DIR"), "/google.rpc.rs"));
        }
    }
    pub mod moby {
        pub mod buildkit {
            pub mod v1 {
                pub mod apicaps {
                    include!(concat!(env!("OUT_DIR"), "/moby.buildkit.v1.apicaps.rs"));
                }
                pub mod frontend {
                    include!(concat!(env!("OUT_DIR"), "/moby.buildkit.v1.frontend.rs"));
                }
                pub mod sourcepolicy {
                    include!(concat!(
                        env!("OUT_DIR"),
                        "/moby.buildkit.v1.sourcepolicy.rs"
                    ));
                }
                pub mod types {
                    include!(concat!(env!("OUT_DIR"), "/moby.buildkit.v1.types.rs"));
                }
            }
        }
    }
}

pub use generated::fsutil::types as fsutil;
pub use generated::google::rpc;
pub use generated::moby::buildkit::v1::{
    apicaps as caps, frontend as gateway, sourcepolicy, types as worker,
};
pub use generated::pb;

/// The message runtime, so that users need not name a version of their own.
pub use prost;
/// `Any`, `Timestamp` and the other messages that come with protobuf.
pub use prost_types;
