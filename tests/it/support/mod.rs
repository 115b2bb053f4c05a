//! What several tests share.

pub(crate) mod checkout;
pub(crate) mod fake_gateway;
pub(crate) mod golden;
pub(crate) mod process;

#[path = "../../shared/copy.rs"]
mod copy;
#[path = "../../shared/go_flags.rs"]
pub(crate) mod go_flags;
