//! A fleet: a spec and its sources on this machine, and what each service can see.
//!
//! In: a [`Local`]. Out: per service its plan, its closure and the closure's files,
//! as a build with the same spec and the same ignore file has them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::closure::{self, Closure, Source};
use crate::diag::did_you_mean;
use crate::ignore::Rules;
use crate::local::{Local, Problem};
use crate::lower;
use crate::modules::ServiceModules;
use crate::plan::{self, Plan, Service};
use crate::scan::Index;
use crate::survey::{self, Main, Modules};

/// A spec and its sources.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// The context.
    pub root: PathBuf,
    /// What of it is hidden.
    pub ignore: Rules,
    /// What people call the ignore file.
    pub ignore_name: String,
    /// Whether a build leaves the spec and the ignore files out of images. It does not
    /// in a remote context, and where a rule takes files back in.
    pub leaves_spec_out: bool,
    /// What people call the spec.
    pub spec_name: String,
    /// What the scan found.
    pub index: Index,
    /// By name.
    pub services: BTreeMap<String, Member>,
}

/// One service of a fleet.
#[derive(Debug, Clone)]
pub struct Member {
    /// The plan of this service alone.
    pub plan: Plan,
    /// Its image name, as far as it is known, and its attestations.
    pub published: Vec<String>,
    /// What its build can read; `None` outside of every module.
    pub closure: Option<Closure>,
    /// What its builds read of the manifests, one for each set of tags; none where
    /// nothing is required, and with vendored modules.
    pub modules: Vec<ServiceModules>,
    /// The files of the closure, and why each is in it.
    pub files: BTreeMap<String, Source>,
}

impl Member {
    /// The service on its first platform: name, main package and tags are the same
    /// on all of them unless the spec says otherwise.
    #[must_use]
    pub fn service(&self) -> Option<&Service> {
        self.plan.platforms.first()?.services.first()
    }
}

impl Fleet {
    /// Reads a spec and scans its context for all services.
    ///
    /// # Errors
    ///
    /// Files that cannot be read, and all problems of the spec.
    pub fn read(local: &Local) -> Result<Self, Problem> {
        Self::of(local, None, Modules::All)
    }

    /// The same for a comparison with another directory: where it has the same manifests, modules
    /// are the same. Without one, modules do not matter.
    ///
    /// # Errors
    ///
    /// Those of [`Fleet::read`].
    pub fn beside(local: &Local, other: Option<&Path>) -> Result<Self, Problem> {
        Self::of(local, None, other.map_or(Modules::None, Modules::Beside))
    }

    /// The same for one service: what is wrong with others does not matter.
    ///
    /// # Errors
    ///
    /// Those of [`Fleet::read`], and when there is no such service.
    pub fn of_service(local: &Local, service: &str) -> Result<Self, Problem> {
        Self::of(local, Some(service), Modules::All)
    }

    fn of(local: &Local, only: Option<&str>, modules: Modules<'_>) -> Result<Self, Problem> {
        let request = local.request(None)?;
        let (ignore, ignore_name) = local.ignore()?;
        let spec = local.read(&local.text()?, &request)?;
        let (spec, _) = local.completed(spec, &request)?;
        let names: Vec<String> = spec.services.iter().map(|s| s.name.value.clone()).collect();
        let (plans, problems) = match only {
            None => plan::plan_each(&spec, &request),
            Some(service) if names.iter().any(|name| name == service) => {
                let target = Some(service.to_owned());
                plan::plan_each(
                    &spec,
                    &plan::Request {
                        target,
                        ..request.clone()
                    },
                )
            }
            Some(other) => return Err(Problem::Other(unknown(other, &names))),
        };
        if crate::diag::has_errors(&problems) {
            return Err(local.spec_problem(&problems));
        }
        let mut services: BTreeMap<String, Member> = BTreeMap::new();
        for plan in plans {
            let Some(service) = plan.platforms.first().and_then(|p| p.services.first()) else {
                continue;
            };
            let name = service.name.clone();
            let member = Member {
                published: plan::published(&spec, &name, &request),
                plan,
                closure: None,
                modules: Vec::new(),
                files: BTreeMap::new(),
            };
            services.insert(name, member);
        }
        let mains: Vec<(String, Main)> = services
            .iter()
            .flat_map(|(name, member)| mains(&member.plan).map(|main| (name.clone(), main)))
            .collect();
        let list: Vec<Main> = mains.iter().map(|(_, main)| main.clone()).collect();
        let found = survey::find(&local.context, &ignore, &list, modules)
            .map_err(|error| Problem::Read(local.context.clone(), error.to_string()))?;
        let mut index = found.index;
        for (((name, main), closure), modules) in
            mains.into_iter().zip(found.closures).zip(found.modules)
        {
            let (Some(member), Some(closure)) = (services.get_mut(&name), closure) else {
                continue;
            };
            index.open = main.open;
            let mut files = closure::files(&local.context, &closure, &index);
            files.retain(|path, _| ignore.hidden_by(path).is_none());
            for (path, source) in files {
                member.files.entry(path).or_insert(source);
            }
            match &mut member.closure {
                Some(all) => all.merge(closure),
                none @ None => *none = Some(closure),
            }
            member.modules.extend(modules);
        }
        Ok(Self {
            root: local.context.clone(),
            leaves_spec_out: local.ignore && !ignore.takes_back(),
            ignore,
            ignore_name,
            spec_name: local.name(),
            index,
            services,
        })
    }

    /// What the closures need and the ignore file hides, and what could not be told.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let closures = || self.services.values().filter_map(|m| m.closure.as_ref());
        let none = BTreeSet::new();
        let hidden = closure::hidden(closures(), &self.ignore, &self.ignore_name, &none);
        let doubts: BTreeSet<String> = closures()
            .flat_map(|c| &c.doubts)
            .map(ToString::to_string)
            .collect();
        hidden
            .into_iter()
            .map(|(_, text)| text)
            .chain(doubts)
            .collect()
    }
}

/// The main packages of a plan with their tags, each once.
fn mains(plan: &Plan) -> impl Iterator<Item = Main> + use<> {
    let open = lower::open_words(plan);
    let mut out: Vec<Main> = Vec::new();
    for service in plan.platforms.iter().flat_map(|p| &p.services) {
        let main = Main {
            dir: service.main.value.clone(),
            tags: service.build.tags.clone(),
            open: open.clone(),
        };
        if !out.contains(&main) {
            out.push(main);
        }
    }
    out.into_iter()
}

fn unknown(service: &str, names: &[String]) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hint = match did_you_mean(service, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the spec has {}", names.join(", ")),
    };
    format!("gofleet: no service `{service}`: {hint}")
}
