//! Modules that come from elsewhere: a module proxy as a directory, which the `go`
//! command reads by `file://` and a daemon's steps from a server on loopback.
//!
//! They are the same for all repositories, so one module cache serves all.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Crc;
use sha2::{Digest as _, Sha256};

/// A module at a version: lines of `go.mod` behind the `go` line, and its other files.
struct Module {
    path: &'static str,
    version: &'static str,
    manifest: &'static str,
    files: &'static [(&'static str, &'static str)],
}

const fn module(
    path: &'static str,
    version: &'static str,
    manifest: &'static str,
    files: &'static [(&'static str, &'static str)],
) -> Module {
    Module {
        path,
        version,
        manifest,
        files,
    }
}

/// What can be fetched. The numbers that packages print tell their versions.
const MODULES: &[Module] = &[
    module(
        "x.test/e1",
        "v1.0.0",
        "require x.test/e2 v1.0.0\n",
        &[
            (
                "e1.go",
                "package e1\n\nfunc init() { println(\"e1\", 1000) }\n",
            ),
            (
                "sub/sub.go",
                "package sub\n\nimport _ \"x.test/e2\"\n\nfunc init() { println(\"e1/sub\", 1001) }\n",
            ),
            (
                "unused/unused.go",
                "package unused\n\nimport _ \"x.test/nowhere\"\n",
            ),
        ],
    ),
    module(
        "x.test/e1",
        "v1.1.0",
        "require x.test/e2 v1.2.0\n",
        &[
            (
                "e1.go",
                "package e1\n\nfunc init() { println(\"e1\", 1100) }\n",
            ),
            (
                "sub/sub.go",
                "package sub\n\nimport _ \"x.test/e2\"\n\nfunc init() { println(\"e1/sub\", 1101) }\n",
            ),
        ],
    ),
    module(
        "x.test/e2",
        "v1.0.0",
        "",
        &[
            (
                "e2.go",
                "package e2\n\nfunc init() { println(\"e2\", 1000) }\n",
            ),
            (
                "testdata/p/p.go",
                "package p\n\nfunc init() { println(\"e2/testdata/p\", 1000) }\n",
            ),
        ],
    ),
    module(
        "x.test/e2",
        "v1.2.0",
        "",
        &[
            (
                "e2.go",
                "package e2\n\nfunc init() { println(\"e2\", 1200) }\n",
            ),
            (
                "testdata/p/p.go",
                "package p\n\nfunc init() { println(\"e2/testdata/p\", 1200) }\n",
            ),
        ],
    ),
    // Stands for e2.
    module(
        "x.test/fork",
        "v1.0.0",
        "",
        &[
            (
                "e2.go",
                "package e2\n\nfunc init() { println(\"fork\", 1000) }\n",
            ),
            (
                "testdata/p/p.go",
                "package p\n\nfunc init() { println(\"fork/testdata/p\", 1000) }\n",
            ),
        ],
    ),
    // With files that are no Go: they come along into a vendor directory.
    module(
        "x.test/odd.go",
        "v1.0.0",
        "",
        &[
            (
                "odd.go",
                "package odd\n\nimport _ \"embed\"\n\n//go:embed data/a.txt\nvar text string\n\nfunc value() int64\n\nfunc init() { println(\"odd.go\", text, value()) }\n",
            ),
            (
                "odd_amd64.s",
                "#include \"textflag.h\"\n#include \"inc/value.h\"\n\nTEXT ·value(SB), NOSPLIT, $0-8\n\tMOVQ $VALUE, ret+0(FP)\n\tRET\n",
            ),
            ("inc/value.h", "#define VALUE 1000\n"),
            ("inc/inc.go", "package inc\n"),
            ("data/a.txt", "1000"),
        ],
    ),
    // Imports a package that a repository has as a directory.
    module(
        "x.test/back",
        "v1.0.0",
        "require example.com/a v1.0.0\n",
        &[(
            "back.go",
            "package back\n\nimport _ \"example.com/a\"\n\nfunc init() { println(\"back\", 1000) }\n",
        )],
    ),
    // Published versions of modules that repositories have as directories.
    module(
        "example.com/a",
        "v1.0.0",
        "",
        &[(
            "a.go",
            "package a\n\nfunc init() { println(\"published a\", 1000) }\n",
        )],
    ),
    module(
        "example.com/a",
        "v1.1.0",
        "",
        &[(
            "a.go",
            "package a\n\nfunc init() { println(\"published a\", 1100) }\n",
        )],
    ),
    module(
        "example.com/b",
        "v1.0.0",
        "",
        &[(
            "b.go",
            "package b\n\nfunc init() { println(\"published b\", 1000) }\n",
        )],
    ),
];

/// The proxy's directory, with the sums of everything in it.
pub(crate) struct World {
    pub(crate) dir: PathBuf,
    pub(crate) sums: String,
}

impl World {
    /// Writes the proxy.
    pub(crate) fn new(dir: PathBuf) -> Self {
        let _ = fs::remove_dir_all(&dir);
        let mut lines = Vec::new();
        for Module {
            path,
            version,
            manifest,
            files,
        } in MODULES
        {
            let at = dir.join(path).join("@v");
            fs::create_dir_all(&at).unwrap();
            let manifest = format!("module {path}\n\ngo 1.21\n\n{manifest}");
            let info = format!("{{\"Version\":\"{version}\",\"Time\":\"2026-01-01T00:00:00Z\"}}");
            let mut all: Vec<(String, &[u8])> = files
                .iter()
                .map(|(name, text)| (format!("{path}@{version}/{name}"), text.as_bytes()))
                .collect();
            all.push((format!("{path}@{version}/go.mod"), manifest.as_bytes()));
            all.sort();
            fs::write(at.join(format!("{version}.info")), info).unwrap();
            fs::write(at.join(format!("{version}.mod")), &manifest).unwrap();
            fs::write(at.join(format!("{version}.zip")), zip(&all)).unwrap();
            let list = at.join("list");
            let known = fs::read_to_string(&list).unwrap_or_default();
            fs::write(&list, format!("{known}{version}\n")).unwrap();
            lines.push(format!("{path} {version} {}\n", sum(&all)));
            let own = [("go.mod".to_owned(), manifest.as_bytes())];
            lines.push(format!("{path} {version}/go.mod {}\n", sum(&own)));
        }
        lines.sort();
        Self {
            dir,
            sums: lines.concat(),
        }
    }

    /// The proxy for the `go` command on this machine.
    pub(crate) fn proxy(&self) -> String {
        format!("file://{}", self.dir.display())
    }

    /// Serves the proxy on loopback for as long as this process lives; its address.
    pub(crate) fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let dir = self.dir.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, &dir);
            }
        });
        format!("http://{address}")
    }
}

/// Answers one request with a file or with 404.
fn answer(mut stream: std::net::TcpStream, dir: &Path) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            n => request.extend_from_slice(&buffer[..n]),
        }
    }
    let text = String::from_utf8_lossy(&request);
    let path = text.split(' ').nth(1).unwrap_or_default();
    let path = path.trim_start_matches('/');
    let (status, body) = match fs::read(dir.join(path)) {
        Ok(body) if !path.contains("..") => ("200 OK", body),
        _ => ("404 Not Found", b"not here".to_vec()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}

/// What `go.sum` says of files: a hash of the list of their hashes.
///
/// Source: `golang.org/x/mod/sumdb/dirhash`, `Hash1`.
fn sum(files: &[(String, &[u8])]) -> String {
    let mut list = String::new();
    for (name, bytes) in files {
        for byte in Sha256::digest(bytes) {
            let _ = write!(list, "{byte:02x}");
        }
        let _ = writeln!(list, "  {name}");
    }
    format!("h1:{}", STANDARD.encode(Sha256::digest(list)))
}

/// A zip archive of files that are not compressed.
fn zip(files: &[(String, &[u8])]) -> Vec<u8> {
    const VERSION: u16 = 20;
    const DATE: u16 = 0x21;
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in files {
        let mut crc = Crc::new();
        crc.update(bytes);
        let size = u32::try_from(bytes.len()).unwrap();
        let length = u16::try_from(name.len()).unwrap();
        let mut common = Vec::new();
        // Flags, method, time, date.
        for number in [VERSION, 0, 0, 0, DATE] {
            common.extend(number.to_le_bytes());
        }
        for number in [crc.sum(), size, size] {
            common.extend(number.to_le_bytes());
        }
        common.extend(length.to_le_bytes());
        // No extra field.
        common.extend(0_u16.to_le_bytes());

        directory.extend(0x0201_4b50_u32.to_le_bytes());
        directory.extend(VERSION.to_le_bytes());
        directory.extend(&common);
        // No comment, first disk, attributes.
        directory.extend([0; 10]);
        directory.extend(u32::try_from(out.len()).unwrap().to_le_bytes());
        directory.extend(name.as_bytes());

        out.extend(0x0403_4b50_u32.to_le_bytes());
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(*bytes);
    }
    let count = u16::try_from(files.len()).unwrap();
    let start = u32::try_from(out.len()).unwrap();
    let size = u32::try_from(directory.len()).unwrap();
    out.extend(&directory);
    out.extend(0x0605_4b50_u32.to_le_bytes());
    out.extend([0; 4]);
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
    out
}
