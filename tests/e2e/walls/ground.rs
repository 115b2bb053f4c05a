//! Where attackers and a victim build: cache mounts that they share, and that nobody else has.

use std::fs;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::support::build::{Build, buildx};
use crate::support::command::buildctl;
use crate::support::raw::in_mount;
use crate::support::repo::{Repo, nonce};

/// A program that leaves a mark wherever a step can write, and says that it ran.
pub(super) const EVIL: &str = "#!/bin/sh
for dir in /root/.cache/go-build /go/pkg/mod /go/pkg/mod/cache \"$GOCACHE\" \"$GOMODCACHE\"; do
  { echo \"$0 $*\" > $dir/OWNED; } 2>/dev/null
done
echo OWNED by \"$0\" >&2
exit 1
";

/// The mounts, and the program that the victim had before anybody else was there.
pub(super) struct Ground {
    space: String,
    victim: Repo,
    program: Vec<u8>,
}

/// One for all tests of a process: the first build in new mounts compiles the standard library.
pub(super) fn ground() -> &'static Ground {
    static GROUND: OnceLock<Ground> = OnceLock::new();
    GROUND.get_or_init(|| {
        let victim = Repo::with_requirement();
        victim
            .requiring_program("cmd/api")
            .spec("services:\n  api: ./cmd/api\n");
        let mut ground = Ground {
            space: nonce(),
            victim,
            program: Vec::new(),
        };
        ground.program = ground.build_victim();
        ground
    })
}

impl Ground {
    /// A build of the programs of a repository.
    pub(super) fn build(&self, repo: &Repo) -> Build {
        buildx(repo)
            .target("binaries")
            .fetching()
            .build_arg("BUILDKIT_CACHE_MOUNT_NS", &self.space)
    }

    /// Expects that no program of an attacker has run: no mount has its mark, and the victim's
    /// program is the same as before.
    pub(super) fn assert_untouched(&self) {
        assert!(
            self.build_victim() == self.program,
            "the victim's program is another one"
        );
        for (name, has) in [("modules", "github.com"), ("build", "trim.txt")] {
            let id = format!("{}/gofleet/{name}", self.space);
            let script = "ls /mount; find /mount -name OWNED -exec grep -H . {} +";
            let found = in_mount(buildctl(), &id, script);
            assert!(found.contains(has), "not the mount of {name}: {found}");
            assert!(!found.contains("OWNED"), "in the mount of {name}: {found}");
        }
    }

    fn build_victim(&self) -> Vec<u8> {
        let out = TempDir::new().unwrap();
        // The step runs each time: what is in a mount is in no key.
        self.build(&self.victim)
            .args(["--no-cache"])
            .files(out.path());
        fs::read(out.path().join("api")).unwrap()
    }
}
