//! Lowering: plan + scan index → LLB graph and image configurations.
//!
//! # Steps
//!
//! 1. `toolchain`: which Go builds each service, in which module.
//! 2. `closures`, `tree`: the files that each service can see, and the trees of them.
//! 3. `fetch`: one download per module root, and a look in front of every build step
//!    whether its modules are still at hand. No other step has a network or a secret.
//!    `ahead` and `deps` put modules and what is compiled of them into layers instead.
//!    Who shares their cache mounts is decided in `caches`.
//! 4. `build`: one build step per service and platform, independent of each other, behind
//!    a compile of what the service shares with others (`share`).
//! 5. `layers`: what goes into an image, from stable to changing.
//! 6. `config`: the image configuration.
//!
//! Before it, in the same solve language, comes the scan, whose result is an
//! input here. Everything is pure: same inputs, same bytes.

mod affected;
mod ahead;
mod below;
mod build;
mod caches;
mod closures;
mod config;
mod constant;
mod contradictions;
mod deps;
mod error;
mod fetch;
mod go;
mod layers;
mod links;
mod members;
mod needs;
mod problems;
mod scan;
mod settings;
mod share;
mod toolchain;
mod tree;
mod user;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use buildkit_llb::{Output, Platform, Position, Range, SourceFile, SourceLocation};

use crate::closure::ModuleRoot;
use crate::diag::{Diagnostic, Span};
use crate::image::ImageConfig;
use crate::options::{NoCache, Options};
use crate::plan::{CacheMode, ImageSettings, Plan, PlatformPlan, Selection, Service};
use crate::scan::Index;

pub use affected::{AFFECTED_FILE, AffectedInputs, affected_step};
pub use below::{Ask, Below, DirMeta, Found, SourceKind, SourceKinds, Unplaced};
pub use caches::Origin;
pub use closures::{Assets, Closures, open_words};
pub use error::LowerError;
pub use go::Builder;
pub use layers::Features;
pub use links::{broken_links, broken_links_of};
pub use needs::{ByFile, Needs};
pub use problems::missing_file;
pub use scan::scan_step;
pub(crate) use toolchain::{go_lines, go_of, is_builder, whole_of};
pub use user::lookup as lookup_user;

use ahead::{Ahead, Beside, Compiled};
use build::{BINARY_DIR, BuildStep, Modules, binary_name};
use caches::Owner;
use config::ConfigInputs;
use constant::marker;
use deps::Unpack;
use fetch::{Downloaded, Downloads, Fetching, How, MARKER};
use layers::{Layer, Special};
use settings::StepSettings;
use share::{Counts, Share};
use toolchain::Toolchain;
use tree::{Manifests, Units};
use user::{Runner, ScratchUser};

/// An image that a graph needs, for one platform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageRequest {
    /// Reference as the user typed it.
    pub reference: String,
    /// Platform to take it for.
    pub platform: Platform,
}

/// Everything that lowering reads.
pub struct Inputs<'a> {
    /// What to build.
    pub plan: &'a Plan,
    /// What the scan found.
    pub index: &'a Index,
    /// The platform that steps run on.
    pub native: &'a Platform,
    /// The files of the main context that were scanned.
    pub code: &'a Output,
    /// The files that closures and `files` name beyond those.
    pub assets: &'a Output,
    /// What each service of the plan can see.
    pub closures: &'a Closures,
    /// What each service of the spec can see, as far as it could be planned.
    pub all_closures: &'a Closures,
    /// The frontend's own image.
    pub frontend: &'a Output,
    /// Every image of [`images_needed`].
    pub images: &'a BTreeMap<ImageRequest, Builder>,
    /// Users of base images that were looked up, by image and name.
    pub users: &'a BTreeMap<(ImageRequest, String), String>,
    /// What is known of base images and sources where files are put into images.
    pub places: &'a Places,
    /// Seconds since 1970 that images say they were made at.
    pub epoch: i64,
    /// What the client asked for.
    pub options: &'a Options,
    /// What the daemon can do.
    pub features: Features,
    /// The spec, for source snippets.
    pub spec: &'a SourceFile,
    /// How many builds of one repository run side by side on this machine.
    pub parallel: u32,
    /// Text that is different whenever a client asks. Under `--no-cache` it becomes content
    /// of markers, so that steps run again without `ignore_cache`, which would
    /// empty the cache mounts that other builds are using.
    pub salt: &'a str,
    /// Builds, by their labels, that run again behind a check that runs again: an earlier
    /// check said nothing about the cache mount that is there now.
    pub lost: &'a BTreeSet<String>,
    /// How often the download of a module root was asked again, by its directory: a result
    /// that says what could not be had on another day is no answer for today.
    pub attempts: &'a BTreeMap<String, u32>,
}

impl<'a> Inputs<'a> {
    fn settings(&self, toolchain: &Toolchain) -> StepSettings<'a> {
        StepSettings {
            options: self.options,
            parallel: self.parallel,
            cache: self.plan.runner.cache,
            owner: owner(self.plan, toolchain, self.images, self.native),
        }
    }

    /// Configuration of a tree that is not meant to run, with the names of its layers.
    fn plain_config<'n>(
        &self,
        platform: &Platform,
        layers: impl Iterator<Item = &'n str>,
    ) -> ImageConfig {
        let layers: Vec<String> = layers.map(|name| format!("gofleet: {name}")).collect();
        config::plain_config(platform, &layers, &self.options.labels, self.seconds())
    }

    /// The time of images, which are not from before 1970.
    fn seconds(&self) -> u64 {
        u64::try_from(self.epoch).unwrap_or(0)
    }

    fn context(&self) -> tree::Context<'_> {
        tree::Context {
            code: self.code,
            assets: self.assets,
            index: self.index,
        }
    }
}

/// The result for one platform.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The target platform.
    pub platform: Platform,
    /// Root filesystem; `None` is an empty one.
    pub output: Option<Output>,
    /// Image configuration. Exports that are no images pass over it.
    pub config: Option<ImageConfig>,
    /// Configuration of the base image.
    pub base_config: Option<ImageConfig>,
    /// The build steps in it, each a graph of its own: to ask which of them fail.
    pub builds: Vec<Build>,
}

/// The build step of a service.
#[derive(Debug, Clone)]
pub struct Build {
    /// What people call it: the service, and its platform where there are several.
    pub label: String,
    /// Where the spec has the service.
    pub span: Span,
    /// What it gives.
    pub output: Output,
    /// What made sure that its modules are at hand; `None` where none are needed.
    pub check: Option<Check>,
}

/// The check in front of a build step.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its result; what it has seen is the file [`crate::modules::LOOKED_FILE`] in it.
    pub output: Output,
    /// Id of the cache mount that modules are in.
    pub cache: String,
}

/// The images that the graph of a plan needs: builders for the platform that
/// steps run on, base images for each target platform.
///
/// # Errors
///
/// All services whose main package is missing or outside every module.
pub fn images_needed(
    plan: &Plan,
    index: &Index,
    native: &Platform,
) -> Result<Vec<ImageRequest>, Vec<Diagnostic>> {
    let mut needed = BTreeSet::new();
    let mut problems = Vec::new();
    for platform in &plan.platforms {
        for service in &platform.services {
            match toolchain::of_service(plan, service, index) {
                Ok(toolchain) => {
                    let fetcher = toolchain.root.is_fetching().then_some(toolchain.fetcher);
                    let images = [Some(toolchain.builder), fetcher].into_iter().flatten();
                    needed.extend(images.map(|reference| native_image(reference, native)));
                }
                Err(problem) => problems.push(problem),
            }
        }
        if let Some(settings) = image_settings(plan, platform) {
            needed.extend(base_request(settings, &platform.platform));
        }
    }
    crate::diag::tidy(&mut problems);
    if problems.is_empty() {
        Ok(needed.into_iter().collect())
    } else {
        Err(problems)
    }
}

/// The users whose numbers must be read from a base image.
#[must_use]
pub fn users_needed(
    plan: &Plan,
    images: &BTreeMap<ImageRequest, Builder>,
) -> Vec<(ImageRequest, String)> {
    let mut needed = BTreeSet::new();
    for platform in &plan.platforms {
        if let Some(settings) = image_settings(plan, platform) {
            let Some(request) = base_request(settings, &platform.platform) else {
                continue;
            };
            let Some(image) = images.get(&request) else {
                continue;
            };
            let (user, needs) = match &settings.user {
                Some(own) => (&own.value, user::needs_lookup(&own.value)),
                None => {
                    let of_base = &image.config.config.user;
                    (of_base, user::has_name(of_base))
                }
            };
            if needs {
                needed.insert((request, user.clone()));
            }
        }
    }
    needed.into_iter().collect()
}

/// What is known of the places that files are put to.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Base images.
    pub below: BTreeMap<ImageRequest, Below>,
    /// What `files` names in the context.
    pub sources: SourceKinds,
}

/// What has to be looked up before it is known where the files of a plan go: per base image,
/// and in the context. Nothing when everything is known.
///
/// # Errors
///
/// Everything that cannot go where the spec says.
pub fn places_needed(
    plan: &Plan,
    images: &BTreeMap<ImageRequest, Builder>,
    users: &BTreeMap<(ImageRequest, String), String>,
    places: &Places,
) -> Result<Vec<(Option<ImageRequest>, Ask)>, Vec<Diagnostic>> {
    let mut needed = Vec::new();
    let mut problems = Vec::new();
    for platform in &plan.platforms {
        let Some(settings) = image_settings(plan, platform) else {
            continue;
        };
        let ground = Ground::of(settings, &platform.platform, images, users);
        let binaries: Vec<String> = (platform.services.iter())
            .map(|service| binary_name(service, &platform.platform))
            .collect();
        match ground.layout(settings, &binaries, places) {
            Ok(_) => {}
            Err(Unplaced::Problems(found)) => problems.extend(found),
            Err(Unplaced::Ask(ask)) => {
                let base = ground.base.map(|(request, _)| request);
                needed.push((base, ask));
            }
        }
    }
    crate::diag::tidy(&mut problems);
    if problems.is_empty() || !needed.is_empty() {
        Ok(needed)
    } else {
        Err(problems)
    }
}

/// What an image is put on, and who runs there.
struct Ground<'a> {
    base: Option<(ImageRequest, &'a Builder)>,
    scratch_user: ScratchUser,
    runner: Runner,
}

impl<'a> Ground<'a> {
    fn of(
        settings: &ImageSettings,
        platform: &Platform,
        images: &'a BTreeMap<ImageRequest, Builder>,
        users: &BTreeMap<(ImageRequest, String), String>,
    ) -> Self {
        let own = settings.user.as_ref().map(|user| user.value.as_str());
        let request = base_request(settings, platform);
        let base = request.and_then(|request| {
            let image = images.get(&request)?;
            Some((request, image))
        });
        let scratch_user = own.map_or_else(ScratchUser::default, ScratchUser::parse);
        let runner = match &base {
            None => Runner::on_scratch(&scratch_user),
            Some((request, image)) => {
                let named = own.unwrap_or(&image.config.config.user).to_owned();
                let looked_up = users.get(&(request.clone(), named));
                Runner::on_base(&image.config, own, looked_up.map(String::as_str))
            }
        };
        Self {
            base,
            scratch_user,
            runner,
        }
    }

    fn layout(
        &self,
        settings: &ImageSettings,
        binaries: &[String],
        places: &Places,
    ) -> Result<below::Layout, Unplaced> {
        let open;
        let below = match &self.base {
            None => &layers::scratch(&self.scratch_user, settings.tzdata),
            Some((request, _)) => match places.below.get(request) {
                Some(below) => below,
                None if places.sources.open => {
                    open = Below::open();
                    &open
                }
                None => &Below::default(),
            },
        };
        below::layout(settings, binaries, self.runner.ids, below, &places.sources)
    }
}

/// Ids of the cache mounts that steps of a plan share.
#[must_use]
pub fn shared_caches(
    options: &Options,
    (plan, index): (&Plan, &Index),
    images: &BTreeMap<ImageRequest, Builder>,
    native: &Platform,
) -> BTreeSet<String> {
    let services = plan.platforms.iter().flat_map(|p| &p.services);
    let toolchains = services.filter_map(|s| toolchain::of_service(plan, s, index).ok());
    let owners: BTreeSet<Option<Owner>> = toolchains
        .map(|toolchain| owner(plan, &toolchain, images, native))
        .collect();
    // Downloads have the mounts of whole modules, also where builds have others.
    let caches = [CacheMode::Mount, plan.runner.cache];
    owners
        .into_iter()
        .flat_map(|owner| caches.map(|cache| caches::go_caches(options, owner, cache)))
        .flatten()
        .collect()
}

/// Whose cache mounts the steps of a toolchain have.
fn owner(
    plan: &Plan,
    toolchain: &Toolchain,
    images: &BTreeMap<ImageRequest, Builder>,
    native: &Platform,
) -> Option<Owner> {
    let references = [toolchain.builder.as_str(), toolchain.fetcher.as_str()];
    let builders = references.into_iter().filter_map(|reference| {
        let request = native_image(reference.to_owned(), native);
        Some((reference, images.get(&request)?))
    });
    Owner::of(plan, builders)
}

/// Lowers a plan: one result per platform.
///
/// # Errors
///
/// All services whose main package is missing or outside every module, or a
/// builder image without files.
pub fn lower(inputs: &Inputs<'_>) -> Result<Vec<Lowered>, LowerError> {
    inputs
        .plan
        .platforms
        .iter()
        .map(|platform| lower_platform(inputs, platform))
        .collect()
}

fn lower_platform(inputs: &Inputs<'_>, plan: &PlatformPlan) -> Result<Lowered, LowerError> {
    if inputs.plan.selection == Selection::Deps {
        return lower_deps(inputs, plan);
    }
    let builds = build_all(inputs, plan)?;
    let binaries: Vec<Output> = builds.iter().map(|build| build.output.clone()).collect();
    let built: Vec<(&Service, &Output)> = plan.services.iter().zip(&binaries).collect();
    let mut lowered = match image_settings(inputs.plan, plan) {
        Some(settings) => lower_image(inputs, &plan.platform, settings, &built)?,
        None => Lowered {
            platform: plan.platform.clone(),
            output: layers::exported_binaries(&binaries, BINARY_DIR, inputs.features),
            config: Some(inputs.plain_config(
                &plan.platform,
                plan.services.iter().map(|service| service.name.as_str()),
            )),
            base_config: None,
            builds: Vec::new(),
        },
    };
    lowered.builds = builds;
    Ok(lowered)
}

/// The build steps of a platform, in the order of its services.
fn build_all(inputs: &Inputs<'_>, plan: &PlatformPlan) -> Result<Vec<Build>, LowerError> {
    let mut outputs = Vec::new();
    let mut problems = Vec::new();
    let closures = plan
        .services
        .iter()
        .filter_map(|s| inputs.closures.of_service(s));
    let units = Units::new(closures, inputs.context());
    let mut common = Common::default();
    let counts = Counts::new(inputs.all_closures);
    for service in &plan.services {
        match toolchain::of_service(inputs.plan, service, inputs.index) {
            Ok(toolchain) => {
                let trees = (&units, &counts, &mut common);
                outputs.push(build_one(inputs, plan, service, &toolchain, trees)?);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(outputs)
    } else {
        Err(problems.into())
    }
}

/// The steps of a platform that its services have in common, each made once.
#[derive(Default)]
struct Common {
    downloads: Downloads,
    compiled: Compiled,
}

impl Common {
    fn downloaded(
        &mut self,
        inputs: &Inputs<'_>,
        toolchain: &Toolchain,
        fetching: Fetching<'_>,
    ) -> Result<Option<Downloaded>, buildkit_llb::Error> {
        let make = || download(inputs, fetching);
        self.downloads.get(&toolchain.root, make)
    }

    fn compiled(
        &mut self,
        inputs: &Inputs<'_>,
        plan: &PlatformPlan,
        service: &Service,
        toolchain: &Toolchain,
        downloaded: Option<&Downloaded>,
    ) -> Result<Output, LowerError> {
        let make = || ahead(inputs, plan, service, toolchain, downloaded);
        self.compiled.get(&toolchain.root, &service.build, make)
    }
}

fn build_one(
    inputs: &Inputs<'_>,
    plan: &PlatformPlan,
    service: &Service,
    toolchain: &Toolchain,
    (units, counts, common): (&Units, &Counts<'_>, &mut Common),
) -> Result<Build, LowerError> {
    let closure = inputs
        .closures
        .of_service(service)
        .ok_or_else(|| vec![problems::no_module(service, inputs.index)])?;
    let builder = image_of(inputs, &toolchain.builder)?;
    let fetching = fetching(inputs, toolchain)?;
    let downloaded = common.downloaded(inputs, toolchain, fetching)?;
    let tags = &service.build.tags;
    let answer = downloaded.as_ref().map(|downloaded| &downloaded.answer);
    let manifests = match answer {
        Some(tree) => Manifests::Part(tree.clone(), fetch::manifests_dir(closure, tags)),
        None => Manifests::Whole,
    };
    let again = inputs.options.no_cache.covers(&service.name);
    let label = label(inputs.plan, &plan.platform, &service.name);
    let again = again || inputs.lost.contains(&label);
    let marker = build_marker(inputs, again);
    let layered = inputs.plan.runner.cache == CacheMode::Layer;
    let settings = inputs.settings(toolchain);
    let step = BuildStep {
        service,
        platform: &plan.platform,
        toolchain,
        builder,
        package: &closure.package,
        sources: tree::mounts(closure, &manifests, &service.name, units, inputs.context()),
        modules: match &downloaded {
            _ if layered => Modules::Unpack(Unpack {
                builder,
                root: &toolchain.root,
                frontend: inputs.frontend,
                settings,
                modules: downloaded.as_ref().and_then(|d| d.packed.clone()),
                compiled: common.compiled(inputs, plan, service, toolchain, downloaded.as_ref())?,
            }),
            Some(_) => Modules::Fetch(fetching),
            None => Modules::None,
        },
        downloaded: answer,
        key: fetch::key(closure, tags),
        share: counts.shared(closure, layered).map(|shared| Share {
            shared,
            builder,
            root: &toolchain.root,
            frontend: inputs.frontend,
            settings,
        }),
        marker: &marker,
        settings,
        label,
        location: Some(location(inputs.spec, service.span)),
    };
    let built = step.built()?;
    let [_, cache] = settings.go_caches();
    Ok(Build {
        label: step.label,
        span: service.span,
        output: built.output,
        check: built.check.map(|output| Check { output, cache }),
    })
}

/// The marker that steps begin with which take from cache mounts. Who builds with a `GOAUTH` command of a spec
/// has cache mounts that the command has seen: that build step is no one else's.
fn build_marker(inputs: &Inputs<'_>, again: bool) -> Output {
    let mut salts: Vec<String> = again.then(|| inputs.salt.to_owned()).into_iter().collect();
    salts.extend(caches::auth_command(inputs.plan).map(|command| {
        let digest = Sha256::digest(command);
        crate::hex::hex(&digest[..16])
    }));
    let salt = (!salts.is_empty()).then(|| salts.join("-"));
    marker(MARKER, salt.as_deref())
}

fn native_image(reference: String, native: &Platform) -> ImageRequest {
    ImageRequest {
        reference,
        platform: native.clone(),
    }
}

/// An image that steps run in.
fn image_of<'a>(inputs: &Inputs<'a>, reference: &str) -> Result<&'a Builder, LowerError> {
    let request = native_image(reference.to_owned(), inputs.native);
    let found = inputs.images.get(&request);
    found.ok_or(LowerError::EmptyBuilder(request.reference))
}

/// What the steps that fetch modules for a toolchain are made of.
fn fetching<'a>(inputs: &Inputs<'a>, toolchain: &'a Toolchain) -> Result<Fetching<'a>, LowerError> {
    // Where nothing is fetched, that image was not looked up.
    let reference = match toolchain.root.is_fetching() {
        true => &toolchain.fetcher,
        false => &toolchain.builder,
    };
    Ok(Fetching {
        builder: image_of(inputs, reference)?,
        reference,
        frontend: inputs.frontend,
        root: &toolchain.root,
        from: &inputs.plan.fetch,
        // What is fetched is whole, and in the mount of whole modules.
        settings: StepSettings {
            cache: CacheMode::Mount,
            ..inputs.settings(toolchain)
        },
    })
}

/// The layer of compiled packages that a service takes from.
fn ahead(
    inputs: &Inputs<'_>,
    plan: &PlatformPlan,
    service: &Service,
    toolchain: &Toolchain,
    downloaded: Option<&Downloaded>,
) -> Result<Output, LowerError> {
    let again = inputs.options.no_cache == NoCache::All;
    let beside = Beside::of(inputs.all_closures, inputs.frontend);
    let marker = match &beside {
        // Through a mount that a command of a spec may have seen.
        Some(_) => build_marker(inputs, again),
        None => marker(MARKER, again.then_some(inputs.salt)),
    };
    let ahead = Ahead {
        builder: image_of(inputs, &toolchain.builder)?,
        root: &toolchain.root,
        settings: inputs.settings(toolchain),
        code: inputs.code,
        index: inputs.index,
        packed: downloaded.and_then(|d| d.packed.as_ref()),
        platform: &plan.platform,
        build: &service.build,
        imports: ahead::imports(inputs.all_closures, &toolchain.root, &service.build.tags),
        marker: &marker,
        beside,
        label: label(inputs.plan, &plan.platform, "deps"),
    };
    Ok(ahead.compiled()?)
}

/// The layers that the services of a platform take from.
fn lower_deps(inputs: &Inputs<'_>, plan: &PlatformPlan) -> Result<Lowered, LowerError> {
    let mut layers: Vec<Output> = Vec::new();
    let mut common = Common::default();
    let mut problems = Vec::new();
    for service in &plan.services {
        let toolchain = match toolchain::of_service(inputs.plan, service, inputs.index) {
            Ok(toolchain) => toolchain,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let fetching = fetching(inputs, &toolchain)?;
        let downloaded = common.downloaded(inputs, &toolchain, fetching)?;
        let compiled = common.compiled(inputs, plan, service, &toolchain, downloaded.as_ref())?;
        // The answer is what a build asks for first, so it has to be exported, too.
        let found = downloaded.map(|d| (deps::answer(&d.answer, &toolchain.root), d.packed));
        let (answer, packed) = found.unzip();
        for layer in answer.into_iter().chain(packed.flatten()).chain([compiled]) {
            if !layers.contains(&layer) {
                layers.push(layer);
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let names = layers.iter().map(|_| "dependencies");
    let config = inputs.plain_config(&plan.platform, names);
    Ok(Lowered {
        platform: plan.platform.clone(),
        output: layers::join(None, layers, inputs.features),
        config: Some(config),
        base_config: None,
        builds: Vec::new(),
    })
}

/// The download of a module root, for all services of the spec; `None` where nothing
/// is fetched.
fn download(
    inputs: &Inputs<'_>,
    fetching: Fetching<'_>,
) -> Result<Option<Downloaded>, buildkit_llb::Error> {
    let request = fetch::request(fetching.root, inputs.all_closures);
    let plan = inputs.plan;
    let how = How {
        marker: &marker(MARKER, again(inputs, &fetching.root.dir).as_deref()),
        pack: plan.runner.cache == CacheMode::Layer || plan.selection == Selection::Deps,
    };
    let step = |request| fetching.download(&request, inputs.code, how);
    request.map(step).transpose()
}

/// How many failed builds leave an answer that later builds find. Each of them is passed
/// over by the next; behind the last one every build asks for itself.
pub const KEPT_ATTEMPTS: u32 = 20;

/// What makes another step of a download, for each time that it is asked again.
fn again(inputs: &Inputs<'_>, root: &str) -> Option<String> {
    let attempt = inputs.attempts.get(root).copied().unwrap_or(0);
    if attempt > KEPT_ATTEMPTS || inputs.options.no_cache == NoCache::All {
        Some(format!("{}-{attempt}", inputs.salt))
    } else {
        (attempt > 0).then(|| format!("again-{attempt}"))
    }
}

/// The download of a module root.
#[derive(Debug, Clone)]
pub struct Download {
    /// The root.
    pub root: ModuleRoot,
    /// Reference of the image that it runs in.
    pub builder: String,
    /// Its result; the answer is the file [`crate::modules::MODULES_FILE`] in it.
    pub output: Output,
}

/// The downloads of a plan. What they find decides what is in the closures: fetched
/// modules may import packages of the repository.
///
/// # Errors
///
/// As [`lower`].
pub fn downloads(inputs: &Inputs<'_>) -> Result<Vec<Download>, LowerError> {
    let mut out: BTreeMap<ModuleRoot, Download> = BTreeMap::new();
    for service in inputs.plan.platforms.iter().flat_map(|p| &p.services) {
        let toolchain = toolchain::of_service(inputs.plan, service, inputs.index)
            .map_err(|problem| vec![problem])?;
        if out.contains_key(&toolchain.root) {
            continue;
        }
        if let Some(downloaded) = download(inputs, fetching(inputs, &toolchain)?)? {
            let output = downloaded.answer;
            let (root, builder) = (toolchain.root.clone(), toolchain.fetcher);
            let download = Download {
                root,
                builder,
                output,
            };
            out.insert(toolchain.root, download);
        }
    }
    Ok(out.into_values().collect())
}

fn lower_image(
    inputs: &Inputs<'_>,
    platform: &Platform,
    settings: &ImageSettings,
    built: &[(&Service, &Output)],
) -> Result<Lowered, LowerError> {
    let ground = Ground::of(settings, platform, inputs.images, inputs.users);
    let base = ground.base.as_ref().map(|(_, image)| *image);
    let name = match &inputs.plan.selection {
        Selection::Service(name) => name.as_str(),
        Selection::All | Selection::Binaries | Selection::Deps => "all",
    };
    let files: Vec<String> = (built.iter())
        .map(|(service, _)| binary_name(service, platform))
        .collect();
    let layout = match ground.layout(settings, &files, inputs.places) {
        Ok(layout) => layout,
        Err(Unplaced::Problems(problems)) => return Err(problems.into()),
        Err(Unplaced::Ask(_)) => return Err(LowerError::UnknownPlaces),
    };
    let mut stack: Vec<Layer> = Vec::new();
    if base.is_none() {
        stack.push(layers::ca_roots(inputs.frontend));
        if settings.tzdata {
            stack.push(layers::time_zones(inputs.frontend));
        }
        stack.push(layers::names(inputs.frontend));
        stack.push(layers::users(inputs.frontend, &ground.scratch_user));
    }
    let special = match base {
        None => Special::Scratch(inputs.frontend),
        Some(image) => Special::Base(&image.output),
    };
    if let Some(dirs) = &layout.working_dir {
        stack.push(layers::working_dir(dirs, &special));
    }
    let label = label(inputs.plan, platform, name);
    let located = |entry: usize| {
        let entry = settings.files.get(entry)?;
        Some(location(inputs.spec, entry.span))
    };
    stack.extend(layers::files(
        &layout,
        inputs.assets,
        &special,
        inputs.features,
        located,
        &label,
    ));
    for (((service, output), file), place) in built.iter().zip(&files).zip(&layout.binaries) {
        let layer = layers::placed_binary(output, &service.name, file, place, &special);
        stack.push(layer);
    }

    let history: Vec<String> = stack.iter().map(|layer| layer.created_by.clone()).collect();
    let outputs = stack.into_iter().map(|layer| layer.output).collect();
    let entry = match &inputs.plan.selection {
        Selection::Service(_) => built
            .first()
            .map(|(service, _)| binary_name(service, platform)),
        Selection::All | Selection::Binaries | Selection::Deps => None,
    };
    let config = config::image_config(&ConfigInputs {
        platform,
        settings,
        base: base.map(|b| &b.config),
        runner: &ground.runner,
        binary: entry.as_deref(),
        layers: &history,
        client_labels: &inputs.options.labels,
        epoch: inputs.seconds(),
    });
    Ok(Lowered {
        platform: platform.clone(),
        output: layers::join(base.map(|b| &b.output), outputs, inputs.features),
        config: Some(config),
        base_config: base.map(|b| b.config.clone()),
        builds: Vec::new(),
    })
}

/// The settings of the image that a platform's result is; `None` for bare binaries.
pub(crate) fn image_settings<'a>(
    plan: &Plan,
    platform: &'a PlatformPlan,
) -> Option<&'a ImageSettings> {
    match plan.selection {
        Selection::Service(_) => platform.services.first().map(|s| &s.image),
        Selection::All => platform.all.as_ref(),
        Selection::Binaries | Selection::Deps => None,
    }
}

fn base_request(settings: &ImageSettings, platform: &Platform) -> Option<ImageRequest> {
    let base = settings.base.as_ref()?;
    (base.value != "scratch").then(|| ImageRequest {
        reference: base.value.clone(),
        platform: platform.clone(),
    })
}

/// `api`, or `linux/arm64 api` when a build has several platforms.
fn label(plan: &Plan, platform: &Platform, name: &str) -> String {
    if plan.platforms.len() > 1 {
        format!("{platform} {name}")
    } else {
        name.to_owned()
    }
}

/// A place of the spec, as the daemon wants it: lines from 1, characters from 0.
fn location(spec: &SourceFile, span: Span) -> SourceLocation {
    let position = |pos: crate::diag::Pos| Position {
        line: pos.line,
        character: pos.column.saturating_sub(1),
    };
    SourceLocation::new(
        spec,
        [Range {
            start: position(span.start),
            end: position(span.end),
        }],
    )
}
