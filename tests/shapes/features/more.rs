//! Features that came later than the first ones.

use super::drawn::one;
use super::{Feature, Include};
use crate::rng::Rng;

/// They are drawn by themselves, so that seeds keep what they had.
pub(super) fn more(seed: u64) -> Vec<Feature> {
    let mut rng = Rng::new(seed ^ 0x6d6f_7265);
    let rng = &mut rng;
    let mut out = Vec::new();
    let (main, hops) = (usize::from(rng.one_in(3)), one(rng, &[1, 1, 2, 3]));
    if rng.one_in(6) {
        let ways = [
            Include::Through,
            Include::Above,
            Include::BesideReal,
            Include::BesideLink,
        ];
        out.push(Feature::LinkedInclude {
            way: one(rng, &ways),
            main,
        });
    }
    if rng.one_in(8) {
        let constraint = one(
            rng,
            &[
                "linux",
                "unix",
                "amd64",
                "!arm64",
                "windows",
                "arm64",
                "linux && !cgo",
                "go1.21",
                "go1.99",
                "!mytag",
                "ignore",
                "gc",
                "wasm || amd64",
                "plan9 || !unix",
                "amd64.v1",
                "amd64.v3",
            ],
        );
        out.push(Feature::MainUnder { constraint, main });
    }
    if rng.one_in(10) {
        out.push(Feature::LinkedSettings {
            file: one(rng, &["fleet.yaml", ".dockerignore"]),
            hops,
        });
    }
    if rng.one_in(4) {
        let (go, toolchain, work) = one(
            rng,
            &[
                ("1.26", "", ""),
                ("1.25.3", "", ""),
                ("1.24", "", ""),
                ("1.26.2", "go1.25.3", ""),
                ("1.26.2", "go1.26.1", ""),
                ("1.24.0", "go1.25.1", ""),
                ("1.21", "go1.22.3", ""),
                ("1.20", "", ""),
                ("1.20", "go1.22.3", ""),
                ("1.18", "", ""),
                ("1.17", "", ""),
                ("1.13", "", ""),
                ("1.26", "default", ""),
                ("1.25rc1", "", ""),
                ("1.25rc1", "go1.25.0", ""),
                ("1.27", "", ""),
                ("1.26.9", "", ""),
                ("1.26", "go1.27rc1", ""),
                ("1.21", "go1.22.3", "1.26"),
                ("1.25", "go1.26.8", "1.26.1"),
                ("1.24", "", "1.25.2\n\ntoolchain go1.26.3"),
                ("1.24", "go1.26.8", "1.25.2\n\ntoolchain go1.24.1"),
                ("1.17", "", "1.18"),
                ("1.26", "", "1.20"),
            ],
        );
        out.push(Feature::GoOfManifests {
            go,
            toolchain,
            work,
        });
    }
    if rng.one_in(8) {
        let at = one(
            rng,
            &[
                "x.go",
                "x_linux.go",
                "x.s",
                "x.h",
                "inc/x.inc",
                "data/x",
                "data/*",
                "main/x.go",
                "main/default.pgo",
                "go.mod",
                "go.work",
            ],
        );
        out.push(Feature::NeededPipe { at, main });
    }
    if rng.one_in(8) {
        let (name, value, constraint) = one(
            rng,
            &[
                ("GOAMD64", "v3", "amd64.v3"),
                ("GOAMD64", "v3", "amd64.v2 && !amd64.v4"),
                ("GOAMD64", "v3", "!amd64.v3"),
                ("GOEXPERIMENT", "jsonv2", "goexperiment.jsonv2"),
                ("GOEXPERIMENT", "jsonv2", "!goexperiment.jsonv2"),
                ("GOFLAGS", "-mod=mod", "linux"),
                ("GOFLAGS", "-mod=vendor", "linux"),
                ("GOFLAGS", "-tags=mytag", "mytag"),
            ],
        );
        let whole = rng.one_in(2);
        out.push(Feature::Env {
            name,
            value,
            constraint,
            whole,
            main,
        });
    }
    out
}
