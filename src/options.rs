//! The options of one request, typed and checked.
//!
//! In: the `key=value` map that a client sent through the daemon. Out:
//! [`Options`], or every problem at once, each named after the flag the user
//! typed. Nothing is read or looked up here; unknown keys are ignored, as
//! every frontend does.
//!
//! | key | field |
//! |---|---|
//! | `filename`, `dockerfilekey`, `cmdline` | [`Options::filename`], [`Options::spec_local`] |
//! | `target`, `platform`, `multi-platform` | [`Options::target`], [`Options::platforms`], [`Options::multi_platform`] |
//! | `build-arg:*`, `label:*` | [`Options::build_args`], [`Options::labels`] |
//! | `context*`, `input-metadata:*`, `local-sessionid:*`, `sharedkey:localdir:*` | [`Options::contexts`] |
//! | `no-cache`, `cache-imports`, `cache-from`, `image-resolve-mode` | [`Options::no_cache`], [`Options::cache_imports`], [`Options::resolve_mode`] |
//! | `add-hosts`, `force-network-mode`, `ulimit`, … | [`Options::exec`] |
//! | `attest:*`, `requestid`, `frontend.caps`, `vcs:*` | the fields of these names |
//!
//! Keys and formats are those of dockerui in BuildKit v0.32 (`frontend/dockerui`).

mod contexts;
pub mod git_url;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use buildkit_llb::{Network, Platform, ProxyEnv, ResolveMode};
use buildkit_proto::{gateway::CacheOptionsEntry, pb};
use serde::Deserialize;

use crate::diag::Checks;

pub(crate) use contexts::CONTEXT_LOCAL;
pub use contexts::{Contexts, MainContext, NamedContext};
pub(crate) use values::csv;
pub use values::{ExtraHost, Ulimit};

/// The spec's name when the client gives none and named us as the frontend.
pub const DEFAULT_FILENAME: &str = "fleet.yaml";
/// The build file's name when the Dockerfile frontend forwarded to us and the
/// client gave none: it has read this file to find our name.
const FORWARDED_FILENAME: &str = "Dockerfile";

const BUILD_ARG: &str = "build-arg:";
const LABEL: &str = "label:";
const ATTEST: &str = "attest:";
const ATTEST_ARG: &str = "build-arg:BUILDKIT_ATTEST_";
const VCS: &str = "vcs:";

/// What the client asks for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Path of the spec in the place it is read from.
    pub filename: String,
    /// The local directory that holds the spec even when the context is
    /// remote (`dockerfilekey`); clients set it for `-f -` and `-f` outside a
    /// remote context.
    pub spec_local: Option<String>,
    /// What to build, `--target`.
    pub target: Option<String>,
    /// `--platform`, normalised, in the order given; empty means the daemon's.
    pub platforms: Vec<Platform>,
    /// Answer with one entry per platform even when there is only one.
    /// `None`: as many platforms as there are decide.
    pub multi_platform: Option<bool>,
    /// `--build-arg`, also those with a meaning to BuildKit.
    pub build_args: BTreeMap<String, String>,
    /// `--label`.
    pub labels: BTreeMap<String, String>,
    /// The main context and the named ones.
    pub contexts: Contexts,
    /// `--no-cache` and `--no-cache-filter`.
    pub no_cache: NoCache,
    /// `--cache-from`, to be sent along with every solve.
    pub cache_imports: Vec<CacheOptionsEntry>,
    /// `--pull`: how image references are looked up.
    pub resolve_mode: ResolveMode,
    /// Settings of every step.
    pub exec: ExecOptions,
    /// `--attest`, `--sbom`, `--provenance`: attributes by type, type in lower case.
    pub attestations: BTreeMap<String, BTreeMap<String, String>>,
    /// The subrequest (`--call`, `--check`) instead of a build.
    pub request_id: Option<String>,
    /// Frontend capabilities that the client needs.
    pub required_caps: BTreeSet<String>,
    /// The reference we were started from, when the client or a `# syntax=`
    /// line named it.
    pub source: Option<String>,
    /// The text of the syntax line that forwarded to us.
    pub cmdline: Option<String>,
    /// Version control facts (`vcs:source`, `vcs:revision`, …), by name.
    pub vcs: BTreeMap<String, String>,
    /// Prefix for the ids of cache mounts (`BUILDKIT_CACHE_MOUNT_NS`).
    pub cache_mount_ns: Option<String>,
    /// `SOURCE_DATE_EPOCH`.
    pub source_date_epoch: Option<SourceDateEpoch>,
    /// `BUILDKIT_DOCKERFILE_CHECK`, in place of what the spec says about warnings.
    pub checks: Option<Checks>,
}

/// What must not be taken from the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoCache {
    /// The cache is used.
    Off,
    /// `--no-cache`: nothing.
    All,
    /// `--no-cache-filter`: not for these targets.
    Names(Vec<String>),
}

impl NoCache {
    /// Whether a target must be built afresh. Case does not matter.
    #[must_use]
    pub fn covers(&self, target: &str) -> bool {
        match self {
            Self::Off => false,
            Self::All => true,
            Self::Names(names) => names.iter().any(|name| name.eq_ignore_ascii_case(target)),
        }
    }
}

/// Settings that hold for every step of the build.
#[derive(Clone, Debug, Default)]
pub struct ExecOptions {
    /// `--add-host`.
    pub extra_hosts: Vec<ExtraHost>,
    /// `--network`; `None` leaves the choice to the step.
    pub network: Option<Network>,
    /// `--shm-size`, bytes.
    pub shm_size: Option<i64>,
    /// `--ulimit`.
    pub ulimits: Vec<Ulimit>,
    /// `--memory` and its like.
    pub linux_resources: Option<pb::LinuxResources>,
    /// `--cgroup-parent`.
    pub cgroup_parent: Option<String>,
    /// Host name seen by steps.
    pub hostname: Option<String>,
    /// Proxies from `HTTP_PROXY` and its like among the build args.
    pub proxy: Option<ProxyEnv>,
}

/// The time that `SOURCE_DATE_EPOCH` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceDateEpoch {
    /// Seconds since 1970.
    Seconds(i64),
    /// `context` or the name of a context: its own time.
    Of(String),
}

/// One malformed option.
///
/// `Display` is one line: the flag as typed, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionError {
    /// What the user typed (`--ulimit`), or the option's own name when no flag
    /// stands for it.
    pub flag: String,
    /// What is wrong with the value.
    pub message: String,
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid `{}`: {}", self.flag, self.message)
    }
}

impl std::error::Error for OptionError {}

impl Options {
    /// Reads the options of a request.
    ///
    /// # Errors
    ///
    /// All malformed options, in a fixed order.
    pub fn from_map(map: &BTreeMap<String, String>) -> Result<Self, Vec<OptionError>> {
        let mut read = Reader {
            map,
            errors: Vec::new(),
        };
        let cmdline = read.text("cmdline");
        let default_filename = if cmdline.is_some() {
            FORWARDED_FILENAME
        } else {
            DEFAULT_FILENAME
        };
        let platforms = read.platforms();
        let multi_platform = read.multi_platform(platforms.len());
        let build_args = read.prefixed(BUILD_ARG);
        let checks = read.checks();
        let options = Self {
            filename: read
                .text("filename")
                .unwrap_or_else(|| default_filename.to_owned()),
            spec_local: read.text("dockerfilekey"),
            target: read.text("target"),
            platforms,
            multi_platform,
            labels: read.prefixed(LABEL),
            contexts: Contexts::read(&mut read),
            no_cache: read.no_cache(),
            cache_imports: read.cache_imports(),
            resolve_mode: read
                .value("image-resolve-mode", "--pull", resolve_mode)
                .unwrap_or(ResolveMode::Default),
            exec: read.exec(&build_args),
            attestations: read.attestations(),
            request_id: read.text("requestid"),
            required_caps: required_caps(map.get("frontend.caps")),
            source: read.text("source"),
            cmdline,
            vcs: read.prefixed(VCS),
            cache_mount_ns: read.text("build-arg:BUILDKIT_CACHE_MOUNT_NS"),
            source_date_epoch: read.text("build-arg:SOURCE_DATE_EPOCH").map(|value| {
                match value.parse() {
                    Ok(seconds) => SourceDateEpoch::Seconds(seconds),
                    Err(_) => SourceDateEpoch::Of(value),
                }
            }),
            build_args,
            checks,
        };
        if read.errors.is_empty() {
            Ok(options)
        } else {
            Err(read.errors)
        }
    }

    /// Whether the result is a map of platforms rather than a single image.
    ///
    /// `count` is the number of platforms that are built.
    #[must_use]
    pub fn answers_with_map(&self, count: usize) -> bool {
        count > 1 || self.multi_platform == Some(true)
    }
}

/// Takes values out of the map and collects what is wrong with them.
struct Reader<'a> {
    map: &'a BTreeMap<String, String>,
    errors: Vec<OptionError>,
}

impl Reader<'_> {
    /// A value that is not empty.
    fn text(&self, key: &str) -> Option<String> {
        self.map.get(key).filter(|v| !v.is_empty()).cloned()
    }

    /// All values of keys with a prefix, by the rest of the key.
    fn prefixed(&self, prefix: &str) -> BTreeMap<String, String> {
        self.map
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone())))
            .collect()
    }

    fn error(&mut self, flag: &str, message: String) {
        self.errors.push(OptionError {
            flag: flag.to_owned(),
            message,
        });
    }

    /// A value that is not empty, parsed.
    fn value<T>(
        &mut self,
        key: &str,
        flag: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.map.get(key).filter(|v| !v.is_empty())?;
        parse(value)
            .map_err(|message| self.error(flag, message))
            .ok()
    }

    /// A CSV list, every field parsed; all bad fields are reported.
    fn list<T>(
        &mut self,
        key: &str,
        flag: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let fields = self.value(key, flag, values::csv).unwrap_or_default();
        let mut out = Vec::with_capacity(fields.len());
        for field in fields {
            match parse(&field) {
                Ok(value) => out.push(value),
                Err(message) => self.error(flag, message),
            }
        }
        out
    }

    fn platforms(&mut self) -> Vec<Platform> {
        let Some(list) = self.text("platform") else {
            return Vec::new();
        };
        let mut platforms = Vec::new();
        for name in list.split(',') {
            match Platform::parse(name) {
                Ok(platform) => platforms.push(platform),
                Err(error) => self.error("--platform", error.to_string()),
            }
        }
        platforms
    }

    fn multi_platform(&mut self, count: usize) -> Option<bool> {
        // The build arg wins, as in dockerui.
        let arg = "build-arg:BUILDKIT_MULTI_PLATFORM";
        let (key, flag) = if self.text(arg).is_some() {
            (arg, "--build-arg BUILDKIT_MULTI_PLATFORM")
        } else {
            ("multi-platform", "multi-platform")
        };
        let value = self.value(key, flag, values::boolean)?;
        if !value && count > 1 {
            self.error(
                flag,
                format!("it forbids a result of several platforms, but `--platform` names {count}"),
            );
        }
        Some(value)
    }

    /// An empty value counts: it takes the place of what the spec says.
    fn checks(&mut self) -> Option<Checks> {
        let value = self.map.get("build-arg:BUILDKIT_DOCKERFILE_CHECK")?;
        match Checks::parse(value) {
            Ok(checks) => Some(checks),
            Err(message) => {
                self.error("--build-arg BUILDKIT_DOCKERFILE_CHECK", message);
                None
            }
        }
    }

    fn no_cache(&self) -> NoCache {
        match self.map.get("no-cache").map(String::as_str) {
            None => NoCache::Off,
            Some("") => NoCache::All,
            Some(names) => NoCache::Names(names.split(',').map(str::to_owned).collect()),
        }
    }

    fn cache_imports(&mut self) -> Vec<CacheOptionsEntry> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        #[derive(Default)]
        struct Import {
            r#type: String,
            attrs: Option<BTreeMap<String, String>>,
        }
        let parse = |json: &str| {
            serde_json::from_str::<Vec<Import>>(json)
                .map_err(|e| format!("expected a JSON array of {{Type, Attrs}}: {e}"))
        };
        let mut imports: Vec<_> = self
            .value("cache-imports", "--cache-from", parse)
            .unwrap_or_default()
            .into_iter()
            .map(|import| CacheOptionsEntry {
                r#type: import.r#type,
                attrs: import.attrs.unwrap_or_default(),
            })
            .collect();
        // The older form names registry references only.
        for reference in self.text("cache-from").iter().flat_map(|v| v.split(',')) {
            imports.push(CacheOptionsEntry {
                r#type: "registry".to_owned(),
                attrs: BTreeMap::from([("ref".to_owned(), reference.to_owned())]),
            });
        }
        imports
    }

    fn exec(&mut self, build_args: &BTreeMap<String, String>) -> ExecOptions {
        let hostname_arg = self.text("build-arg:BUILDKIT_SANDBOX_HOSTNAME");
        ExecOptions {
            extra_hosts: self.list("add-hosts", "--add-host", values::extra_host),
            network: self.value("force-network-mode", "--network", network),
            shm_size: self
                .value("shm-size", "--shm-size", |value| {
                    value
                        .parse::<i64>()
                        .ok()
                        .filter(|size| *size >= 0)
                        .ok_or_else(|| format!("expected a number of bytes, found `{value}`"))
                })
                .filter(|size| *size > 0),
            ulimits: self.list("ulimit", "--ulimit", values::ulimit),
            linux_resources: self.linux_resources(),
            cgroup_parent: self.text("cgroup-parent"),
            hostname: hostname_arg.or_else(|| self.text("hostname")),
            proxy: proxy(build_args),
        }
    }

    fn linux_resources(&mut self) -> Option<pb::LinuxResources> {
        let unlimited = values::positive_or_unlimited;
        let resources = pb::LinuxResources {
            memory: self
                .value("memory", "--memory", values::positive)
                .unwrap_or_default(),
            memory_swap: self
                .value("memswap", "--memory-swap", unlimited)
                .unwrap_or_default(),
            cpu_shares: self
                .value("cpushares", "--cpu-shares", values::positive)
                .unwrap_or_default(),
            cpu_period: self
                .value("cpuperiod", "--cpu-period", values::positive)
                .unwrap_or_default(),
            cpu_quota: self
                .value("cpuquota", "--cpu-quota", values::positive)
                .unwrap_or_default(),
            cpuset_cpus: self
                .value("cpusetcpus", "--cpuset-cpus", values::cpuset)
                .unwrap_or_default(),
            cpuset_mems: self
                .value("cpusetmems", "--cpuset-mems", values::cpuset)
                .unwrap_or_default(),
        };
        (resources != pb::LinuxResources::default()).then_some(resources)
    }

    fn attestations(&mut self) -> BTreeMap<String, BTreeMap<String, String>> {
        let mut out = BTreeMap::new();
        for (key, value) in self.map {
            let Some(kind) = key
                .strip_prefix(ATTEST)
                .or_else(|| key.strip_prefix(ATTEST_ARG))
            else {
                continue;
            };
            let fields = if value.is_empty() {
                Ok(Vec::new())
            } else {
                values::csv(value)
            };
            match fields {
                Ok(fields) => {
                    let attrs = fields.iter().map(|field| {
                        let (name, value) = field.split_once('=').unwrap_or((field, ""));
                        (name.to_owned(), value.to_owned())
                    });
                    out.insert(kind.to_lowercase(), attrs.collect());
                }
                Err(message) => self.error(&format!("--attest type={kind}"), message),
            }
        }
        out
    }
}

fn resolve_mode(value: &str) -> Result<ResolveMode, String> {
    match value {
        "default" => Ok(ResolveMode::Default),
        "pull" => Ok(ResolveMode::Pull),
        "local" => Ok(ResolveMode::Local),
        _ => Err(format!(
            "expected `default`, `pull` or `local`, found `{value}`"
        )),
    }
}

fn network(value: &str) -> Result<Network, String> {
    match value {
        "none" => Ok(Network::None),
        "host" => Ok(Network::Host),
        "sandbox" => Ok(Network::Sandbox),
        _ => Err(format!(
            "expected `default`, `none` or `host`, found `{value}`"
        )),
    }
}

/// Proxy settings among the build args; the lower-case form wins, as upstream.
fn proxy(build_args: &BTreeMap<String, String>) -> Option<ProxyEnv> {
    let mut proxy = ProxyEnv::default();
    let mut found = false;
    for (name, value) in build_args {
        let field = match name.to_ascii_lowercase().as_str() {
            "http_proxy" => &mut proxy.http_proxy,
            "https_proxy" => &mut proxy.https_proxy,
            "ftp_proxy" => &mut proxy.ftp_proxy,
            "no_proxy" => &mut proxy.no_proxy,
            "all_proxy" => &mut proxy.all_proxy,
            _ => continue,
        };
        field.clone_from(value);
        found = true;
    }
    found.then_some(proxy)
}

/// Names before `+`; a suffix tells the built-in frontend to leave the check
/// to the image it forwards to.
fn required_caps(value: Option<&String>) -> BTreeSet<String> {
    value
        .iter()
        .flat_map(|list| list.split(','))
        .map(|cap| cap.split_once('+').map_or(cap, |(name, _)| name))
        .filter(|cap| !cap.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests;
