//! What the frontend itself costs, without a daemon: `cargo xtask bench graph`.
//!
//! - `cargo bench --bench graph` measures generated repositories with 1, 50 and 1,000
//!   services: what a frontend does for all of them in one graph, and for one of them;
//! - `… -- DIR` measures the target `binaries` of `fleet.yaml` in a directory;
//! - `… -- --write DIR SERVICES` only writes such a repository.
//!
//! Every figure is from a process of its own, so that its peak of memory is one, too.
#![expect(clippy::print_stdout, reason = "a program: its answer belongs there")]

mod repository;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use buildkit_llb::{Output, Platform, Source, SourceFile, encode_definition};
use buildkit_proto::prost::Message as _;
use gofleet::image::ImageConfig;
use gofleet::lower::{self, Builder, Closures, Features, Inputs, Origin};
use gofleet::options::Options;
use gofleet::plan;
use gofleet::scan::{Index, scan};

type Error = Box<dyn std::error::Error>;

/// Services of the generated repositories.
const SIZES: [usize; 3] = [1, 50, 1000];

/// Where images are, so that no daemon has to be asked.
const IMAGE: &str = "docker.io/library/golang:1.26@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// As long as those of buildx.
const SESSION: &str = "k5vdbd3wzrf4ql9tsvn2r0yx8";

fn main() -> Result<(), Error> {
    // Cargo passes a flag of its own.
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| *word != "--bench")
        .collect();
    match words.as_slice() {
        [] => all(),
        ["--write", dir, services] => Ok(repository::write(Path::new(dir), "", services.parse()?)?),
        ["--target", target, dir] => one(Path::new(dir), target),
        [dir] => one(Path::new(dir), "binaries"),
        _ => Err("expected nothing, DIR, `--target TARGET DIR` or `--write DIR SERVICES`".into()),
    }
}

/// Measures all sizes, each in a process of its own.
fn all() -> Result<(), Error> {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-graph");
    for services in SIZES {
        let dir = root.join(services.to_string());
        repository::write(&dir, "", services)?;
        for target in ["binaries", "s0000"] {
            let mut again = Command::new(std::env::current_exe()?);
            let output = again.args(["--target", target]).arg(&dir).output()?;
            let said = String::from_utf8(output.stdout)?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into());
            }
            println!("{services} services, target {target}:\n{said}");
        }
        fs::remove_dir_all(&dir)?;
    }
    Ok(())
}

/// Measures one target of a repository.
fn one(dir: &Path, target: &str) -> Result<(), Error> {
    let (scanning, index) = timed(|| scan(dir, &[]));
    let json = serde_json::to_vec(&index?)?;
    let before = peak();
    let (parsing, index) = timed(|| serde_json::from_slice::<Index>(&json));
    let index = index?;
    let text = fs::read_to_string(dir.join("fleet.yaml"))?;
    let (native, options) = (Platform::new("linux", "amd64", ""), BTreeMap::new());
    let options = Options::from_map(&options).map_err(|_| "bad options")?;
    let request = plan::Request {
        target: Some(target.to_owned()),
        platforms: Vec::new(),
        native: native.clone(),
        build_args: BTreeMap::new(),
        file_name: "fleet.yaml".to_owned(),
    };
    let (planning, planned) = timed(|| {
        let spec = plan::read(&text, &request)?;
        let (spec, _) = plan::complete(spec, &index, &request)?;
        let plan = plan::plan(&spec, &request)?;
        Ok::<_, Vec<gofleet::diag::Diagnostic>>((spec, plan))
    });
    let (spec, plan) = planned.map_err(|problems| format!("{problems:?}"))?;
    let (closing, (closures, all_closures)) = timed(|| {
        let closures = Closures::of(&plan, &index);
        let all = closures.of_all(&spec, &request, &index);
        (closures, all)
    });
    let image = |request| {
        let config = ImageConfig::from_json(
            br#"{"config":{"Env":["PATH=/go/bin:/usr/local/go/bin:/usr/bin:/bin","GOLANG_VERSION=1.26.3","GOTOOLCHAIN=local","GOPATH=/go"]}}"#,
        );
        let output = Source::image(IMAGE).platform(native.clone()).build();
        let config = config.unwrap_or_default();
        (
            request,
            Builder {
                output,
                config,
                origin: Origin::Registry(IMAGE.to_owned(), IMAGE.to_owned()),
            },
        )
    };
    let needed = lower::images_needed(&plan, &index, &native).map_err(|p| format!("{p:?}"))?;
    let images = needed.into_iter().map(image).collect();
    let code = Source::local("context")
        .session(SESSION)
        .include(["**/*.go", "**/go.mod", "**/go.sum"])
        .shared_key_hint("context-gofleet-code")
        .build();
    let source = SourceFile::new("fleet.yaml", text.clone().into_bytes()).language("YAML");
    let users = BTreeMap::new();
    let inputs = Inputs {
        plan: &plan,
        index: &index,
        native: &native,
        code: &code,
        assets: &code,
        closures: &closures,
        all_closures: &all_closures,
        frontend: &Source::image("docker.io/gofleet/gofleet:1").build(),
        images: &images,
        users: &users,
        places: &lower::Places::default(),
        epoch: 0,
        options: &options,
        features: Features {
            merge: true,
            mode_string: true,
        },
        spec: &source,
        parallel: 2,
        salt: SESSION,
        lost: &BTreeSet::new(),
        attempts: &BTreeMap::new(),
    };
    let (asking, downloads) = timed(|| lower::downloads(&inputs));
    let downloads: usize = downloads?
        .iter()
        .map(|download| download.output.marshal().encoded_len())
        .sum();
    let (lowering, lowered) = timed(|| lower::lower(&inputs));
    let outputs: Vec<Output> = lowered?.into_iter().filter_map(|one| one.output).collect();
    let (marshaling, definitions) =
        timed(|| outputs.iter().map(Output::marshal).collect::<Vec<_>>());
    let (encoding, bytes) = timed(|| {
        definitions
            .iter()
            .map(encode_definition)
            .collect::<Vec<_>>()
    });
    let ops = definitions.iter().flat_map(|definition| &definition.def);
    let (count, op_bytes) = ops.fold((0, 0), |(n, sum), op| (n + 1, sum + op.len()));
    let largest: Vec<String> = kinds(&definitions);
    println!(
        "  graph   {count} ops, {} bytes, of which ops {op_bytes}; question about modules {downloads}",
        bytes.iter().map(Vec::len).sum::<usize>(),
    );
    println!("  ops     {}", largest.join(", "));
    println!(
        "  time    index read {}, plan {}, closures {}, downloads {}, graph {}, marshal {}, encode {} ms; \
         scan {} ms, {} bytes of index",
        ms(parsing),
        ms(planning),
        ms(closing),
        ms(asking),
        ms(lowering),
        ms(marshaling),
        ms(encoding),
        ms(scanning),
        json.len(),
    );
    println!(
        "  memory  peak {} MB, of which {} MB before the index was read",
        peak() / 1024,
        before / 1024
    );
    Ok(())
}

/// Bytes of ops and metadata by the first words of their names.
fn kinds(definitions: &[buildkit_proto::pb::Definition]) -> Vec<String> {
    let mut sums: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    for definition in definitions {
        let mut seen = BTreeSet::new();
        for op in &definition.def {
            let digest = buildkit_llb::Digest::of(op);
            let Some(metadata) = definition.metadata.get(digest.as_str()) else {
                continue;
            };
            if !seen.insert(digest.clone()) {
                continue;
            }
            let name = metadata.description.get("llb.customname");
            let name = name.map_or("?", String::as_str);
            let words = name.trim_start_matches("[internal] ").split(' ');
            let mut words: Vec<&str> = words.take(3).collect();
            words.retain(|word| !word.contains(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']));
            let sum = sums.entry(words.join(" ")).or_default();
            sum.0 += 1;
            sum.1 += op.len();
            sum.2 += metadata.encoded_len() + digest.as_str().len() + 8;
        }
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(_, (_, op, meta))| std::cmp::Reverse(op + meta));
    sums.into_iter()
        .map(|(name, (n, op, meta))| format!("{n} `{name}` {op}+{meta}"))
        .collect()
}

fn ms(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let done = work();
    (began.elapsed(), done)
}

/// The largest memory that this process has had, in kB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|n| n.parse().ok()).unwrap_or(0)
}
