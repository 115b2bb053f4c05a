//! What gofleet is compared with: ko, and the image behind `# syntax=docker/dockerfile:1`.
//! Made when a comparison asks for them, from pinned modules, like the engine's parts.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::state::{Cache, key, write_atomically};
use super::{Engine, parts};
use crate::http;
use crate::run::{logged, say};

/// Name and tag on docker.io, which the registry mirrors.
const FRONTEND: (&str, &str) = ("docker/dockerfile", "1");

/// As upstream's image has it (BuildKit v0.32, `frontend/dockerfile/cmd/dockerfile-frontend/Dockerfile`).
const RECIPE: &str = r#"FROM scratch
LABEL moby.buildkit.frontend.network.none="true"
LABEL moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring"
COPY dockerfile-frontend /bin/dockerfile-frontend
ENTRYPOINT ["/bin/dockerfile-frontend"]
"#;

/// The `ko` program.
///
/// # Errors
///
/// It cannot be built.
pub(crate) fn ko() -> Result<PathBuf> {
    let cache = Cache::open()?;
    let _lock = cache.lock()?;
    Ok(parts::ko().build(&cache, &parts::host_go()?)?.join("ko"))
}

/// Has the registry answer for `docker/dockerfile:1`, with the frontend of the pinned
/// BuildKit for this machine's platform.
///
/// # Errors
///
/// It cannot be built or pushed.
pub(crate) fn dockerfile_frontend(engine: &Engine) -> Result<()> {
    let cache = Cache::open()?;
    let _lock = cache.lock()?;
    let part = parts::dockerfile_frontend();
    let programs = part.build(&cache, &parts::host_go()?)?;
    let (repository, tag) = FRONTEND;
    let stamp = cache.images("docker-dockerfile.stamp");
    let wanted = key([programs.to_string_lossy().as_ref(), RECIPE]);
    if fs::read_to_string(&stamp).is_ok_and(|stamp| stamp == wanted)
        && http::manifest(&engine.registry, repository, tag)?.is_some()
    {
        return Ok(());
    }
    let context = cache.images("docker-dockerfile");
    fs::create_dir_all(&context)?;
    fs::write(context.join("Dockerfile"), RECIPE)?;
    fs::copy(
        programs.join("dockerfile-frontend"),
        context.join("dockerfile-frontend"),
    )?;
    let mut build = engine.docker();
    build
        .args(["buildx", "build", "--provenance=false", "--progress=plain"])
        .arg(format!(
            "--output=type=image,push=true,oci-mediatypes=true,compression-level=9,name={}/{repository}:{tag}",
            engine.registry
        ))
        .arg(&context);
    logged(
        &format!("making the image {repository}:{tag}"),
        &mut build,
        &cache.log("image-docker-dockerfile"),
    )?;
    fs::remove_dir_all(&context)?;
    say(format!(
        "{repository}:{tag} is the frontend of BuildKit {}",
        part.version()?
    ));
    write_atomically(&stamp, wanted.as_bytes())
}
