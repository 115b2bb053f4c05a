//! x
use crate::engine::Engine;
pub(crate) enum How {
    InBuildKit,
    Native,
}
pub(crate) fn build(_e: &Engine, _h: How) -> anyhow::Result<()> {
    Ok(())
}
