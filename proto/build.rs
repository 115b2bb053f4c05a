//! Compiles `proto/*.proto` into the crate's modules, without `protoc`.
//!
//! Maps become `BTreeMap`s, so that equal messages have equal bytes. Service
//! code is made only for the cargo features that ask for it.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["gateway.proto"], ["proto"])?;
    let feature = |name: &str| std::env::var_os(format!("CARGO_FEATURE_{name}")).is_some();
    tonic_prost_build::configure()
        .btree_map(".")
        .build_client(feature("CLIENT"))
        .build_server(feature("SERVER"))
        // Connecting is left to the caller: a frontend's transport is its
        // standard streams.
        .build_transport(false)
        .compile_fds(files)?;
    Ok(())
}
