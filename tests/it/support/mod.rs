//! What several tests share.

pub(crate) mod fake_gateway;
pub mod golden;
pub(crate) mod process;
