//! What a build needs from outside of the spec and the index: files that the spec
//! names, images, users of base images, a time.
//!
//! Everything is asked before anything is compiled, so that what is missing costs
//! a second and not ten minutes.

use std::collections::BTreeMap;

use buildkit_llb::Output;
use futures_util::future::{join, join_all, try_join_all};

use super::Session;
use super::sources::Scanned;
use crate::gateway::named::Image;
use crate::gateway::{Error, Ref, SpecError};
use crate::ignore::build_files;
use crate::image::ImageConfig;
use crate::lower::{self, Builder, ImageRequest, Places};
use crate::plan::Plan;

/// What was looked up outside of the repository.
pub(super) struct LookedUp {
    pub(super) images: BTreeMap<ImageRequest, Builder>,
    pub(super) users: BTreeMap<(ImageRequest, String), String>,
    /// Where files go; looked up after the rest.
    pub(super) places: Places,
    /// `SOURCE_DATE_EPOCH`, in seconds since 1970.
    pub(super) epoch: Option<i64>,
}

impl Session<'_> {
    /// Looks up everything that the graph of a plan takes from outside.
    pub(super) async fn look_up(&self, plan: &Plan, scanned: &Scanned) -> Result<LookedUp, Error> {
        let images = async {
            self.note_old_go(plan, scanned).await?;
            let images = self.images(plan, scanned).await?;
            let users = self.users(plan, &images).await?;
            Ok::<_, Error>((images, users))
        };
        let native = self.native();
        let (images, epoch) = join(images, self.loader.source_date_epoch(&native)).await;
        let ((images, users), epoch) = (images?, epoch?);
        let scanned = (plan, &*scanned.index);
        let caches = lower::shared_caches(self.options, scanned, &images, &native);
        self.gateway.hold_caches(caches).await;
        Ok(LookedUp {
            images,
            users,
            places: Places::default(),
            epoch,
        })
    }

    /// Checks that the `files` of the spec exist, before anything is compiled.
    pub(super) async fn check_files(&self, plan: &Plan, sources: &Output) -> Result<(), Error> {
        let mut entries = BTreeMap::new();
        for settings in plan
            .platforms
            .iter()
            .filter_map(|p| lower::image_settings(plan, p))
        {
            for entry in &settings.files {
                entries.insert((entry.span, entry.source.as_str()), entry);
            }
        }
        if entries.is_empty() {
            return Ok(());
        }
        let tree = self.solve_output(sources).await?;
        let ignore = self.loader.ignore().await?;
        let own = match self.loader.is_local().await? {
            true => build_files(&self.loaded.file_name).to_vec(),
            false => Vec::new(),
        };
        let missing = |entry| lower::missing_file(entry, &own, &ignore.rules, ignore.name());
        let looks = entries.into_values().map(async |entry| {
            match self.gateway.stat_file(&tree, &entry.source).await {
                Ok(_) => Ok(None),
                Err(error) if error.is_not_found() => Ok(Some(missing(entry))),
                Err(error) => Err(error),
            }
        });
        let missing: Vec<_> = try_join_all(looks).await?.into_iter().flatten().collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(self.spec_error(missing))
        }
    }

    /// Looks up all images side by side. Of several that cannot be had, each is named.
    async fn images(
        &self,
        plan: &Plan,
        scanned: &Scanned,
    ) -> Result<BTreeMap<ImageRequest, Builder>, Error> {
        let needed = lower::images_needed(plan, &scanned.index, &self.native())
            .map_err(|diagnostics| self.spec_error(diagnostics))?;
        let found = needed.into_iter().map(|request| async {
            match self.image(plan, &request).await {
                Ok(found) => Ok(found.map(|image| (request, image))),
                Err(error) => Err(self
                    .no_image(plan, scanned, &request.reference, error)
                    .await),
            }
        });
        let mut images = BTreeMap::new();
        let mut missing = Vec::new();
        for found in join_all(found).await {
            match found {
                Ok(found) => images.extend(found),
                Err(Error::Files(problems)) => missing.extend(problems),
                Err(error) => return Err(error),
            }
        }
        match missing.is_empty() {
            true => Ok(images),
            false => Err(Error::Files(merged(missing))),
        }
    }

    async fn image(&self, plan: &Plan, request: &ImageRequest) -> Result<Option<Builder>, Error> {
        let reference = self.in_its_place(plan, &request.reference);
        let name = format!("FROM {reference}");
        let image = self
            .loader
            .image(reference, &request.platform, &name)
            .await
            .map_err(|error| error.context(format!("cannot use image `{reference}`")))?;
        let config = match &image.config {
            Some(json) => ImageConfig::from_json(json).map_err(|error| {
                Error::Request(format!(
                    "image `{reference}` has a configuration that cannot be read: {error}"
                ))
            })?,
            None => ImageConfig::default(),
        };
        let Image { output, origin, .. } = image;
        Ok(output.map(|output| Builder {
            output,
            config,
            origin,
        }))
    }

    /// A client that puts a context in the place of `golang:1.26` means all of Go, and not
    /// only what we take from that image.
    fn in_its_place<'a>(&self, plan: &Plan, reference: &'a str) -> &'a str {
        let replaced = |reference: &str| {
            let contexts = &self.options.contexts;
            let named = contexts.named(reference, &self.native());
            named.is_ok_and(|context| context.is_some())
        };
        match lower::whole_of(plan, reference) {
            Some(whole) if replaced(whole) && !replaced(reference) => whole,
            _ => reference,
        }
    }

    /// Reads the numbers of users that base images know by name.
    async fn users(
        &self,
        plan: &Plan,
        images: &BTreeMap<ImageRequest, Builder>,
    ) -> Result<BTreeMap<(ImageRequest, String), String>, Error> {
        let mut users = BTreeMap::new();
        for (request, user) in lower::users_needed(plan, images) {
            let Some(image) = images.get(&request) else {
                continue;
            };
            let tree = self.solve_output(&image.output).await?;
            let passwd = self.read_text(&tree, "etc/passwd");
            let (passwd, group) = join(passwd, self.read_text(&tree, "etc/group")).await;
            let (passwd, group) = (passwd?, group?);
            match lower::lookup_user(&user, &passwd, &group) {
                Ok(numbers) => users.insert((request, user), numbers),
                Err(unknown) => {
                    return Err(Error::Request(format!(
                        "image `{}` has no user or group `{unknown}`: give a number in `user:`",
                        request.reference
                    )));
                }
            };
        }
        Ok(users)
    }

    /// Text of a file of an image; empty when there is none.
    async fn read_text(&self, tree: &Ref, path: &str) -> Result<String, Error> {
        match self.gateway.read_file(tree, path).await {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.is_not_found() => Ok(String::new()),
            Err(error) => Err(error),
        }
    }
}

/// One error per file; what is said of the two images of one line is said once.
fn merged(problems: Vec<SpecError>) -> Vec<SpecError> {
    let mut out: Vec<SpecError> = Vec::new();
    for problem in problems {
        match out.iter_mut().find(|known| known.file == problem.file) {
            None => out.push(problem),
            Some(known) => {
                let lines: Vec<_> = known.diagnostics.iter().map(|d| d.span).collect();
                let new = problem.diagnostics.into_iter();
                known
                    .diagnostics
                    .extend(new.filter(|d| !lines.contains(&d.span)));
            }
        }
    }
    out
}
