//! The repositories of the truth test, chosen for what is odd about them.
//!
//! Module zips hold neither nested modules nor vendored packages, so repositories
//! of several modules are put together from several zips, and vendor directories
//! are made here.

/// One repository.
pub(crate) struct Repo {
    /// What the command line calls it.
    pub(crate) name: &'static str,
    /// Module at the root, `path@version`.
    pub(crate) module: &'static str,
    /// More modules, by directory. `PREFIX@VERSION` with `*` stands for all modules
    /// that the root's `replace` lines expect below a directory.
    pub(crate) nested: &'static [(&'static str, &'static str)],
    /// What is done to it before it is scanned.
    pub(crate) shape: Shape,
    /// How many of its main packages are built.
    pub(crate) builds: usize,
}

/// What a repository is made into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// As it is.
    Plain,
    /// With a `vendor` directory.
    Vendored,
    /// With a `go.work` that uses all of its modules.
    Workspace,
    /// `vendor.mod` and `vendor.sum` stand for `go.mod` and `go.sum`.
    VendorMod,
    /// The same, with a `vendor` directory.
    VendorModVendored,
}

const fn plain(name: &'static str, module: &'static str, builds: usize) -> Repo {
    Repo {
        name,
        module,
        nested: &[],
        shape: Shape::Plain,
        builds,
    }
}

const fn shaped(name: &'static str, module: &'static str, shape: Shape, builds: usize) -> Repo {
    Repo {
        name,
        module,
        nested: &[],
        shape,
        builds,
    }
}

/// Main packages in directories that `./...` passes over.
pub(crate) const HIDDEN: &[(&str, &str)] = &[
    ("go-sqlite3", "_example/custom_func"),
    ("go-sqlite3", "_example/mod_regexp"),
    ("go-sqlite3", "_example/simple"),
    ("go-sqlite3", "_example/vtable"),
];

/// All of them, small ones first.
pub(crate) const REPOS: &[Repo] = &[
    // Assembly for many platforms, plugins of the tests as mains.
    plain("age", "filippo.io/age@v1.3.2", 3),
    shaped("age-vendored", "filippo.io/age@v1.3.2", Shape::Vendored, 3),
    shaped(
        "fzf-vendored",
        "github.com/junegunn/fzf@v0.65.2",
        Shape::Vendored,
        1,
    ),
    // Mains in `_example`, C files beside Go files.
    plain("go-sqlite3", "github.com/mattn/go-sqlite3@v1.14.53", 3),
    plain("compress", "github.com/klauspost/compress@v1.20.3", 3),
    plain("esbuild", "github.com/evanw/esbuild@v0.28.2", 1),
    plain("wazero", "github.com/tetratelabs/wazero@v1.12.0", 3),
    plain("pebble", "github.com/cockroachdb/pebble/v2@v2.1.7", 2),
    plain("protobuf", "google.golang.org/protobuf@v1.36.12", 3),
    plain("gonum", "gonum.org/v1/gonum@v0.17.0", 2),
    plain("ebiten", "github.com/hajimehoshi/ebiten/v2@v2.8.8", 2),
    plain("gio", "gioui.org@v0.10.3", 1),
    shaped(
        "fyne-vendored",
        "fyne.io/fyne/v2@v2.7.1",
        Shape::Vendored,
        2,
    ),
    plain(
        "nats-server",
        "github.com/nats-io/nats-server/v2@v2.15.2",
        2,
    ),
    plain("delve", "github.com/go-delve/delve@v1.27.2", 2),
    Repo {
        name: "x-tools",
        module: "golang.org/x/tools@v0.48.0",
        nested: &[("gopls", "golang.org/x/tools/gopls@v0.23.0")],
        shape: Shape::Workspace,
        builds: 3,
    },
    Repo {
        name: "grpc",
        module: "google.golang.org/grpc@v1.85.0",
        nested: &[
            (
                "cmd/protoc-gen-go-grpc",
                "google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2",
            ),
            (
                "gcp/observability",
                "google.golang.org/grpc/gcp/observability@v1.0.1",
            ),
            (
                "stats/opentelemetry",
                "google.golang.org/grpc/stats/opentelemetry@v0.0.0-20241028142157-ada6787961b3",
            ),
            (
                "examples",
                "google.golang.org/grpc/examples@v0.0.0-20260825154716-030ee8becb20",
            ),
        ],
        shape: Shape::Workspace,
        builds: 3,
    },
    Repo {
        name: "etcd",
        module: "go.etcd.io/etcd/v3@v3.6.8",
        nested: &[
            ("api", "go.etcd.io/etcd/api/v3@v3.6.8"),
            ("client/pkg", "go.etcd.io/etcd/client/pkg/v3@v3.6.8"),
            ("client/v3", "go.etcd.io/etcd/client/v3@v3.6.8"),
            ("etcdctl", "go.etcd.io/etcd/etcdctl/v3@v3.6.8"),
            ("etcdutl", "go.etcd.io/etcd/etcdutl/v3@v3.6.8"),
            ("pkg", "go.etcd.io/etcd/pkg/v3@v3.6.8"),
            ("server", "go.etcd.io/etcd/server/v3@v3.6.8"),
            ("tests", "go.etcd.io/etcd/tests/v3@v3.6.8"),
        ],
        shape: Shape::Plain,
        builds: 3,
    },
    shaped(
        "docker-cli",
        "github.com/docker/cli@v29.8.2+incompatible",
        Shape::VendorMod,
        2,
    ),
    shaped(
        "docker-cli-vendored",
        "github.com/docker/cli@v29.8.2+incompatible",
        Shape::VendorModVendored,
        2,
    ),
    plain("go-ethereum", "github.com/ethereum/go-ethereum@v1.17.10", 2),
    plain("hugo", "github.com/gohugoio/hugo@v0.163.3", 1),
    plain("caddy", "github.com/caddyserver/caddy/v2@v2.11.9", 1),
    plain(
        "containerd",
        "github.com/containerd/containerd/v2@v2.4.2",
        2,
    ),
    shaped(
        "buildkit-vendored",
        "github.com/moby/buildkit@v0.33.0",
        Shape::Vendored,
        2,
    ),
    plain("k6", "go.k6.io/k6@v1.8.1", 1),
    plain(
        "gvisor",
        "gvisor.dev/gvisor@v0.0.0-20260905035102-160fafc42237",
        2,
    ),
    plain("prometheus", "github.com/prometheus/prometheus@v0.316.0", 1),
    plain(
        "minio",
        "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c",
        1,
    ),
    plain("traefik", "github.com/traefik/traefik/v3@v3.7.13", 1),
    Repo {
        name: "vault",
        module: "github.com/hashicorp/vault@v1.21.4",
        nested: &[
            ("api", "github.com/hashicorp/vault/api@v1.22.0"),
            (
                "api/auth/approle",
                "github.com/hashicorp/vault/api/auth/approle@v0.12.0",
            ),
            (
                "api/auth/kubernetes",
                "github.com/hashicorp/vault/api/auth/kubernetes@v0.12.0",
            ),
            (
                "api/auth/userpass",
                "github.com/hashicorp/vault/api/auth/userpass@v0.12.0",
            ),
            ("sdk", "github.com/hashicorp/vault/sdk@v0.25.1"),
        ],
        shape: Shape::Plain,
        builds: 1,
    },
    Repo {
        name: "kubernetes",
        module: "k8s.io/kubernetes@v1.36.3",
        nested: &[("staging/src/k8s.io/*", "k8s.io/*@v0.36.3")],
        shape: Shape::Plain,
        builds: 1,
    },
];
