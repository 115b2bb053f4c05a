//! Private modules against real servers: who gets in, what is said to others, what is
//! kept secret, and what runs again.

mod clients;
mod companies;
mod credentials;
mod faults;
mod go_says;
mod keys;
mod leaks;
mod servers;

use crate::support::build::{Build, buildx};
use crate::support::private::Private;
use crate::support::repo::Repo;

/// Modules of these hosts are private.
pub(crate) const PRIVATE: &str = "*.corp.example";

/// Where modules come from that are not private, and those of the module proxy.
pub(crate) const PROXIES: &str = "https://goproxy.corp.example,https://public.example,direct";

/// A build of `api` that reaches the servers and trusts them, with no login yet.
pub(crate) fn build(private: &Private, repo: &Repo) -> Build {
    buildx(repo)
        .target("api")
        .reaching(private)
        .secret_file("ca", private.ca())
        .build_arg("GOPRIVATE", PRIVATE)
        .build_arg("GOPROXY", PROXIES)
        // What one test fetches must not be at hand for the next.
        .build_arg("BUILDKIT_CACHE_MOUNT_NS", &repo.nonce)
}
