//! Metadata of ops: what users see and hints for the daemon. None of it is part
//! of a digest, except worker filters.

use buildkit_proto::pb;

use crate::SourceLocation;

/// Name of the step in progress output, in [`pb::OpMetadata::description`].
/// Facts of moby/buildkit v0.32.2, `solver/llbsolver/vertex.go`.
pub const CUSTOM_NAME: &str = "llb.customname";

/// Limits of the cgroup of an exec; 0 leaves one alone.
///
/// When several builds share a step, the laxer limits win.
pub type LinuxResources = pb::LinuxResources;

/// Metadata of one op.
///
/// Every builder has the methods of [`Describe`]; a separate `OpMeta` is for
/// facts that several ops share.
///
/// ```
/// use buildkit_llb::{Describe, OpMeta, Source};
///
/// let shared = OpMeta::default().progress_group("base", "load base images", false);
/// let image = Source::image("alpine").meta(&shared).name("[base] alpine").build();
/// # assert_eq!(image.marshal().metadata[image.digest().as_str()].description["llb.customname"], "[base] alpine");
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpMeta {
    pub(crate) metadata: pb::OpMetadata,
    pub(crate) locations: Vec<SourceLocation>,
    pub(crate) filters: Vec<String>,
}

impl OpMeta {
    pub(crate) fn need(&mut self, cap: &str) {
        self.metadata.caps.insert(cap.to_owned(), true);
    }

    pub(crate) fn add_location(&mut self, location: &SourceLocation) {
        if !self.locations.contains(location) {
            self.locations.push(location.clone());
        }
    }

    /// Lets the facts of `other` win over those here; lists are joined.
    pub(crate) fn merge(&mut self, other: &OpMeta) {
        merge(&mut self.metadata, &other.metadata);
        for location in &other.locations {
            self.add_location(location);
        }
        self.filters.extend_from_slice(&other.filters);
    }
}

/// Lets the metadata of `from` win over that of `into`, as the Go client does
/// for equal ops (moby/buildkit v0.32.2, `client/llb/state.go`).
pub(crate) fn merge(into: &mut pb::OpMetadata, from: &pb::OpMetadata) {
    into.ignore_cache |= from.ignore_cache;
    into.description.extend(from.description.clone());
    into.caps.extend(from.caps.clone());
    into.export_cache = from.export_cache.or(into.export_cache);
    if from.progress_group.is_some() {
        into.progress_group.clone_from(&from.progress_group);
    }
    if from.linux_resources.is_some() {
        into.linux_resources.clone_from(&from.linux_resources);
    }
}

/// Sets metadata, on the builder of any op.
pub trait Describe: Sized {
    /// The metadata to change.
    #[doc(hidden)]
    fn meta_mut(&mut self) -> &mut OpMeta;

    /// Adds metadata; what it says wins over what was said before.
    fn meta(mut self, meta: &OpMeta) -> Self {
        self.meta_mut().merge(meta);
        self
    }

    /// Names the step in progress output. `[internal] ` in front is the custom
    /// for bookkeeping.
    fn name(self, name: impl Into<String>) -> Self {
        self.description(CUSTOM_NAME, name)
    }

    /// Adds a free text under a key.
    fn description(mut self, key: impl Into<String>, text: impl Into<String>) -> Self {
        let description = &mut self.meta_mut().metadata.description;
        description.insert(key.into(), text.into());
        self
    }

    /// Shows the steps with the same `id` as one line called `name`. The line is
    /// hidden as long as only `weak` steps of it have run.
    fn progress_group(
        mut self,
        id: impl Into<String>,
        name: impl Into<String>,
        weak: bool,
    ) -> Self {
        self.meta_mut().metadata.progress_group = Some(pb::ProgressGroup {
            id: id.into(),
            name: name.into(),
            weak,
        });
        self
    }

    /// Runs the op even if its result is cached. On an exec with cache mounts
    /// this also empties them, on the whole daemon.
    fn ignore_cache(mut self) -> Self {
        self.meta_mut().metadata.ignore_cache = true;
        self
    }

    /// Says whether cache exports hold the op.
    fn export_cache(mut self, export: bool) -> Self {
        self.meta_mut().metadata.export_cache = Some(pb::ExportCache { value: export });
        self
    }

    /// Limits the resources of an exec. Needs BuildKit 0.31.
    fn linux_resources(mut self, resources: LinuxResources) -> Self {
        self.meta_mut().metadata.linux_resources = Some(resources);
        self
    }

    /// Declares that the op needs a capability beyond those that its builder
    /// declares by itself.
    fn cap(mut self, cap: &str) -> Self {
        self.meta_mut().need(cap);
        self
    }

    /// Says where the op comes from; may be called several times.
    fn location(mut self, location: &SourceLocation) -> Self {
        self.meta_mut().add_location(location);
        self
    }

    /// Adds a filter for workers. It is part of the digest, but today's daemons
    /// do not look at it.
    fn worker_filter(mut self, filter: impl Into<String>) -> Self {
        self.meta_mut().filters.push(filter.into());
        self
    }
}

impl Describe for OpMeta {
    fn meta_mut(&mut self) -> &mut OpMeta {
        self
    }
}

/// Gives a builder with a field `meta` the methods of [`Describe`].
macro_rules! describe {
    ($($builder:ty),*) => {
        $(impl $crate::Describe for $builder {
            fn meta_mut(&mut self) -> &mut $crate::OpMeta {
                &mut self.meta
            }
        })*
    };
}
pub(crate) use describe;
