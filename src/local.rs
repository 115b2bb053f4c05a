//! The pipeline without a daemon: for the command-line tool and the golden tests.
//!
//! Images are not looked up: builder and base images stand in the graph by the
//! name in the spec, and the frontend's image by its public name.

mod needs;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use buildkit_llb::{ImageRef, Output, Platform, Source, SourceFile};

use crate::closure::Wanted;
use crate::diag::{self, Diagnostic};
use crate::frontend::plan_request;
use crate::ignore::{Rules, SPEC, build_files};
use crate::image::ImageConfig;
use crate::lower::{
    self, Builder, ByFile, Closures, Features, ImageRequest, Inputs, LowerError, Lowered, Origin,
    Places,
};
use crate::options::{OptionError, Options};
use crate::plan::{self, Plan, bake};
use crate::scan::{Index, is_inside, select};
use crate::spec::Spec;
use crate::survey;

/// The frontend's image in graphs that no daemon gave us.
const FRONTEND: &str = "docker.io/gofleet/gofleet:1";

/// The ignore file of a context.
const IGNORE_FILE: &str = ".dockerignore";

/// A spec and a context on this machine.
#[derive(Debug, Clone)]
pub struct Local {
    /// Path of the spec.
    pub file: PathBuf,
    /// Directory that paths in the spec are relative to.
    pub context: PathBuf,
    /// Whether the ignore file counts; a remote context has none.
    pub ignore: bool,
    options: BTreeMap<String, String>,
}

/// Why there is no answer; its text is for people, complete.
#[derive(Debug, Clone)]
pub enum Problem {
    /// A file or directory cannot be read.
    Read(PathBuf, String),
    /// What the command line says is malformed.
    Options(Vec<OptionError>),
    /// The spec or what it says about the sources; rendered.
    Spec(String),
    /// The graph cannot be made.
    Lower(LowerError),
    /// Something else; complete.
    Other(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => {
                write!(f, "gofleet: cannot read `{}`: {error}", path.display())
            }
            Self::Options(errors) => {
                let lines: Vec<String> = errors.iter().map(OptionError::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
            Self::Spec(text) | Self::Other(text) => f.write_str(text),
            Self::Lower(error) => write!(f, "gofleet: {error}"),
        }
    }
}

impl std::error::Error for Problem {}

impl Local {
    /// A spec and a context, without further options.
    #[must_use]
    pub fn new(file: PathBuf, context: PathBuf) -> Self {
        Self {
            file,
            context,
            ignore: true,
            options: BTreeMap::new(),
        }
    }

    /// The same options for another spec and context.
    pub(crate) fn elsewhere(&self, file: PathBuf, context: PathBuf) -> Self {
        Self {
            file,
            context,
            ..self.clone()
        }
    }

    /// Sets an option as a client would send it, such as `platform` or
    /// `build-arg:NAME`.
    pub fn option(&mut self, key: &str, value: String) {
        self.options.insert(key.to_owned(), value);
    }

    /// Checks the spec against itself and the sources; the text of the warnings.
    ///
    /// # Errors
    ///
    /// Everything that would stop a build before compiling.
    pub fn check(&self) -> Result<String, Problem> {
        let request = self.request(None)?;
        let spec = self.read(&self.text()?, &request)?;
        let (spec, mut diagnostics) = self.completed(spec, &request)?;
        let (plans, problems) = plan::plan_each(&spec, &request);
        diagnostics.extend(problems);
        let mut lacking = ByFile::new();
        if !diag::has_errors(&diagnostics) {
            let (index, closures) = self.closures(&plans)?;
            for (plan, closures) in plans.iter().zip(&closures) {
                diagnostics.extend(self.problems_of(plan, closures, &index)?);
                if !lower::broken_links([(plan, closures)]).is_empty() {
                    continue;
                }
                let lines = lower::go_lines(plan, &index).into_keys();
                for line in lines.filter(|line| !line.is_served()) {
                    let text = fs::read_to_string(self.context.join(&line.file));
                    let note = line.note(&text.unwrap_or_default(), &self.name());
                    lacking.entry(line.file).or_default().push(note);
                }
                for (file, found) in self.lacking(plan, &index, true)? {
                    lacking.entry(file).or_default().extend(found);
                }
            }
            diagnostics.extend(lower::broken_links(plans.iter().zip(&closures)));
        }
        let options = self.options(None)?;
        let checks = options.checks.as_ref().unwrap_or(&spec.checks);
        checks.decide(&mut diagnostics);
        diag::tidy(&mut diagnostics);
        let mut rendered = diag::render(&diagnostics, &self.name());
        for (file, found) in &mut lacking {
            checks.decide(found);
            diag::tidy(found);
            if found.is_empty() {
                continue;
            }
            if !rendered.is_empty() {
                rendered.push('\n');
            }
            rendered += &diag::render(found, file);
        }
        let mut all = lacking.values().chain([&diagnostics]);
        if all.any(|found| diag::has_errors(found)) {
            Err(Problem::Spec(rendered))
        } else {
            Ok(rendered)
        }
    }

    /// The bake file.
    ///
    /// # Errors
    ///
    /// All problems of the spec.
    pub fn bake(&self) -> Result<String, Problem> {
        let request = self.request(None)?;
        let spec = self.read(&self.text()?, &request)?;
        let (spec, _) = self.completed(spec, &request)?;
        let file = bake::bake_file(&spec, &request, None)
            .map_err(|diagnostics| self.spec_problem(&diagnostics))?;
        Ok(file.to_hcl())
    }

    /// The graph of a target as text: one section per platform, with the image
    /// configuration behind the ops.
    ///
    /// # Errors
    ///
    /// Everything that would stop a build before compiling.
    pub fn graph(&self, target: Option<String>) -> Result<String, Problem> {
        let mut text = String::new();
        for lowered in self.lower(target)? {
            let _ = writeln!(text, "== {}", lowered.platform);
            if let Some(output) = &lowered.output {
                text.push_str(&buildkit_llb::text::render(&output.marshal()));
            }
            if let Some(config) = &lowered.config {
                let json = serde_json::to_string_pretty(config).unwrap_or_default();
                let _ = writeln!(text, "config {json}");
            }
        }
        Ok(text)
    }

    /// Lowers a target.
    ///
    /// # Errors
    ///
    /// Everything that would stop a build before compiling.
    pub fn lower(&self, target: Option<String>) -> Result<Vec<Lowered>, Problem> {
        let text = self.text()?;
        let options = self.options(target.clone())?;
        let request = self.request(target)?;
        let spec = self.read(&text, &request)?;
        let (spec, _) = self.completed(spec, &request)?;
        let plan = plan::plan(&spec, &request).map_err(|d| self.spec_problem(&d))?;
        let (mut index, closures) = self.closures(std::slice::from_ref(&plan))?;
        let closures = closures.into_iter().next().unwrap_or_default();
        index.open = lower::open_words(&plan);
        let mut problems = self.problems_of(&plan, &closures, &index)?;
        problems.extend(lower::broken_links([(&plan, &closures)]));
        if !problems.is_empty() {
            return Err(self.spec_problem(&problems));
        }
        let lacking = self.lacking(&plan, &index, false)?;
        let rendered: Vec<String> = (lacking.iter())
            .map(|(file, found)| diag::render(found, file))
            .collect();
        if !rendered.is_empty() {
            return Err(Problem::Spec(rendered.join("\n")));
        }
        let native = native();
        let needed =
            lower::images_needed(&plan, &index, &native).map_err(|d| self.spec_problem(&d))?;
        let images = needed
            .into_iter()
            .map(|request| (request.clone(), by_name(&request)))
            .collect();
        let source = SourceFile::new(self.name(), text.into_bytes()).language("YAML");
        let all_closures = closures.of_all(&spec, &request, &index);
        let code = Source::local("context")
            .include(select::include_patterns())
            .exclude(select::exclude_patterns(&[]))
            .build();
        let needed = closures.assets(&plan, &index);
        let assets = if needed.is_empty() {
            code.clone()
        } else {
            Source::local("context")
                .include(needed.include)
                .follow_paths(needed.follow)
                .build()
        };
        lower::lower(&Inputs {
            plan: &plan,
            index: &index,
            native: &native,
            code: &code,
            assets: &assets,
            closures: &closures,
            all_closures: &all_closures,
            frontend: &Source::image(FRONTEND).build(),
            images: &images,
            users: &BTreeMap::new(),
            places: &Places::default(),
            epoch: 0,
            options: &options,
            features: Features {
                merge: true,
                mode_string: true,
            },
            spec: &source,
            parallel: plan.runner.parallel.unwrap_or(2),
            salt: "local",
            lost: &BTreeSet::new(),
            attempts: &BTreeMap::new(),
        })
        .map_err(Problem::Lower)
    }

    pub(crate) fn read(&self, text: &str, request: &plan::Request) -> Result<Spec, Problem> {
        plan::read(text, request).map_err(|d| self.spec_problem(&d))
    }

    /// Adds the services that the spec discovers.
    pub(crate) fn completed(
        &self,
        spec: Spec,
        request: &plan::Request,
    ) -> Result<(Spec, Vec<Diagnostic>), Problem> {
        if spec.discover.is_empty() {
            return Ok((spec, Vec::new()));
        }
        let (ignore, _) = self.ignore()?;
        let named = plan::looks_into(&spec, request);
        let look = |index: &mut Index| {
            let mut wanted = Wanted::default();
            wanted.mains(&named, index);
            ((), wanted)
        };
        let (index, ()) = survey::scan_until(&self.context, &ignore, look)
            .map_err(|error| Problem::Read(self.context.clone(), error.to_string()))?;
        plan::complete(spec, &index, request).map_err(|d| self.spec_problem(&d))
    }

    /// Whether a client sends something at a path, which `files` name.
    fn is_sent(&self, path: &str, own: &[String], ignore: &Rules) -> bool {
        let is_own = own.iter().any(|own| is_inside(path, own));
        let hidden = ignore.hidden_by(path).is_some() && !ignore.takes_back();
        self.context.join(path).exists() && !hidden && (!is_own || ignore.takes_in(path))
    }

    /// The files of a context that copies leave out unless an ignore file takes them back in.
    fn own_files(&self) -> Vec<String> {
        if !self.ignore {
            return Vec::new();
        }
        let mut own = build_files(&self.name()).to_vec();
        let resolved = |path: &Path| path.canonicalize().unwrap_or_default();
        if !resolved(&self.file).starts_with(resolved(&self.context)) {
            own.truncate(SPEC);
        }
        own
    }

    /// What is wrong between a plan and the sources, but links.
    fn problems_of(
        &self,
        plan: &Plan,
        closures: &Closures,
        index: &Index,
    ) -> Result<Vec<Diagnostic>, Problem> {
        if !lower::broken_links([(plan, closures)]).is_empty() {
            // Without what links lead to, more looks wrong than is.
            return Ok(Vec::new());
        }
        let (ignore, name) = self.ignore()?;
        let own = self.own_files();
        let mut problems = lower::images_needed(plan, index, &native())
            .err()
            .unwrap_or_default();
        for settings in plan
            .platforms
            .iter()
            .filter_map(|p| lower::image_settings(plan, p))
        {
            let missing = settings
                .files
                .iter()
                .filter(|f| !self.is_sent(&f.source, &own, &ignore));
            problems.extend(missing.map(|f| lower::missing_file(f, &own, &ignore, &name)));
        }
        problems.extend(closures.irregular(index).into_values());
        diag::tidy(&mut problems);
        Ok(problems)
    }

    pub(crate) fn text(&self) -> Result<String, Problem> {
        fs::read_to_string(&self.file)
            .map_err(|error| Problem::Read(self.file.clone(), error.to_string()))
    }

    /// The ignore file of the spec or else of the context, and its name.
    pub(crate) fn ignore(&self) -> Result<(Rules, String), Problem> {
        let mut own = self.file.clone().into_os_string();
        own.push(IGNORE_FILE);
        let paths = [PathBuf::from(own), self.context.join(IGNORE_FILE)];
        for path in paths.iter().filter(|_| self.ignore) {
            match fs::read(path) {
                Ok(bytes) => {
                    let (rules, name) = (Rules::parse(&bytes), self.inside(path));
                    let problems = rules.problems();
                    return match problems.is_empty() {
                        true => Ok((rules, name)),
                        false => Err(Problem::Spec(diag::render(&problems, &name))),
                    };
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Problem::Read(path.clone(), error.to_string())),
            }
        }
        Ok((Rules::default(), IGNORE_FILE.to_owned()))
    }

    /// What the services of each plan can see, and the index that says so.
    fn closures(&self, plans: &[Plan]) -> Result<(Index, Vec<Closures>), Problem> {
        let (ignore, _) = self.ignore()?;
        let look = |index: &mut Index| {
            let mut wanted = Wanted::default();
            let closures = plans.iter().map(|plan| {
                index.open = lower::open_words(plan);
                let closures = Closures::of(plan, index);
                wanted.extend(closures.wanted(plan, index), &ignore);
                closures
            });
            (closures.collect(), wanted)
        };
        survey::scan_until(&self.context, &ignore, look)
            .map_err(|error| Problem::Read(self.context.clone(), error.to_string()))
    }

    pub(crate) fn request(&self, target: Option<String>) -> Result<plan::Request, Problem> {
        Ok(plan_request(&self.options(target)?, native(), &self.name()))
    }

    fn options(&self, target: Option<String>) -> Result<Options, Problem> {
        let mut map = self.options.clone();
        if let Some(target) = target {
            map.insert("target".to_owned(), target);
        }
        Options::from_map(&map).map_err(Problem::Options)
    }

    /// The spec's name in messages and source maps: relative to the context, as
    /// clients send it.
    pub(crate) fn name(&self) -> String {
        self.inside(&self.file)
    }

    fn inside(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.context).unwrap_or(path);
        inside.display().to_string()
    }

    pub(crate) fn spec_problem(&self, diagnostics: &[Diagnostic]) -> Problem {
        Problem::Spec(diag::render(diagnostics, &self.name()))
    }
}

/// The platform of a daemon that there is not: the most usual one, so that a
/// graph does not depend on the machine it is printed on.
fn native() -> Platform {
    Platform::new("linux", "amd64", "")
}

/// An image by its name alone, with the environment that public Go images have.
fn by_name(request: &ImageRequest) -> Builder {
    let name = ImageRef::parse(&request.reference)
        .map_or_else(|_| request.reference.clone(), |r| r.to_string());
    let output: Output = Source::image(name)
        .platform(request.platform.clone())
        .build();
    let mut config = ImageConfig::default();
    config.set_env(
        "PATH",
        "/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
    config.set_env("GOPATH", "/go");
    Builder {
        output,
        config,
        // Like those of a registry.
        origin: Origin::Registry(request.reference.clone(), request.reference.clone()),
    }
}
