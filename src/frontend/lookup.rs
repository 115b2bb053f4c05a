//! What a build needs from outside of the spec and the index: files that the spec
//! names, images, users of base images, a time.
//!
//! Everything is asked before anything is compiled, so that what is missing costs
//! a second and not ten minutes.

use std::collections::BTreeMap;

use buildkit_llb::Output;
use futures_util::future::{join, try_join_all};

use super::Session;
use crate::gateway::{Error, Ref};
use crate::image::ImageConfig;
use crate::lower::{self, Builder, ImageRequest};
use crate::plan::Plan;
use crate::scan::Index;

/// What was looked up outside of the repository.
pub(super) struct LookedUp {
    pub(super) images: BTreeMap<ImageRequest, Builder>,
    pub(super) users: BTreeMap<(ImageRequest, String), String>,
    /// `SOURCE_DATE_EPOCH`, in seconds since 1970.
    pub(super) epoch: Option<i64>,
}

impl Session<'_> {
    /// Looks up everything that the graph of a plan takes from outside.
    pub(super) async fn look_up(&self, plan: &Plan, index: &Index) -> Result<LookedUp, Error> {
        let images = async {
            let images = self.images(plan, index).await?;
            let users = self.users(plan, &images).await?;
            Ok::<_, Error>((images, users))
        };
        let native = self.native();
        let (images, epoch) = join(images, self.loader.source_date_epoch(&native)).await;
        let ((images, users), epoch) = (images?, epoch?);
        Ok(LookedUp {
            images,
            users,
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
        let looks = entries.into_values().map(async |entry| {
            match self.gateway.stat_file(&tree, &entry.source).await {
                Ok(_) => Ok(None),
                Err(error) if error.is_not_found() => Ok(Some(lower::missing_file(entry))),
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

    /// Looks up all images side by side.
    async fn images(
        &self,
        plan: &Plan,
        index: &Index,
    ) -> Result<BTreeMap<ImageRequest, Builder>, Error> {
        let needed = lower::images_needed(plan, index, &self.native())
            .map_err(|diagnostics| self.spec_error(diagnostics))?;
        let found = try_join_all(needed.into_iter().map(|request| async {
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
            Ok::<_, Error>(
                image
                    .output
                    .map(|output| (request, Builder { output, config })),
            )
        }));
        Ok(found.await?.into_iter().flatten().collect())
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
