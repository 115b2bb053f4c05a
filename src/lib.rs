//! gofleet.
