//! Source ops: what comes from outside the graph.
//!
//! [`Source`] starts the builder of each kind; this file holds what the kinds
//! share. Schemes and attributes are facts of moby/buildkit v0.32.2,
//! `source/types/types.go`, `solver/pb/attr.go`, `client/llb/source.go`.

use std::collections::BTreeMap;

use buildkit_proto::pb;

use crate::output::{Inputs, finish};
use crate::{Error, OpMeta, Output, Platform};

mod blob;
mod git;
mod http;
mod image;
mod local;

pub use blob::BlobSource;
pub use git::{GitSource, SignatureRules};
pub use http::HttpSource;
pub use image::{ImageSource, OciLayoutSource, RecordType, ResolveMode};
pub use local::{Differ, LocalSource};

/// Starts source ops.
///
/// Message `pb.SourceOp`. In a Dockerfile: `FROM`, `ADD` of URLs, and the build
/// contexts.
#[derive(Clone, Copy, Debug)]
pub enum Source {}

impl Source {
    /// An image of a registry, such as `alpine` or `ghcr.io/a/b@sha256:…`. The
    /// reference is brought into its full form.
    ///
    /// ```
    /// use buildkit_llb::{Describe, Platform, ResolveMode, Source};
    ///
    /// let image = Source::image("golang:1.26")
    ///     .platform(Platform::parse("linux/arm64")?)
    ///     .resolve_mode(ResolveMode::Pull)
    ///     .name("[build] golang")
    ///     .build();
    /// # image.check()?;
    /// # Ok::<(), buildkit_llb::Error>(())
    /// ```
    pub fn image(reference: impl AsRef<str>) -> ImageSource {
        ImageSource::new(reference.as_ref())
    }

    /// An image of an OCI layout that the client serves: `NAME@DIGEST`.
    ///
    /// ```
    /// use buildkit_llb::Source;
    ///
    /// let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    /// let image = Source::oci_layout(format!("base@{digest}"))
    ///     .store("session-id", "base")
    ///     .build();
    /// ```
    pub fn oci_layout(reference: impl Into<String>) -> OciLayoutSource {
        OciLayoutSource::new(reference.into())
    }

    /// One blob of a registry, as a file: `NAME@DIGEST`.
    ///
    /// ```
    /// use buildkit_llb::Source;
    ///
    /// let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    /// let blob = Source::image_blob(format!("alpine@{digest}"))
    ///     .filename("layer.tar.gz")
    ///     .build();
    /// # blob.check()?;
    /// # Ok::<(), buildkit_llb::Error>(())
    /// ```
    pub fn image_blob(reference: impl AsRef<str>) -> BlobSource {
        BlobSource::new("docker-image+blob", reference.as_ref())
    }

    /// One blob of an OCI layout that the client serves, as a file.
    pub fn oci_layout_blob(reference: impl AsRef<str>) -> BlobSource {
        BlobSource::new("oci-layout+blob", reference.as_ref())
    }

    /// A directory of the client, by the name it is offered under.
    ///
    /// ```
    /// use buildkit_llb::{Describe, Differ, Source};
    ///
    /// let context = Source::local("context")
    ///     .session("session-id")
    ///     .include(["go.mod", "**/*.go"])
    ///     .exclude([".git"])
    ///     .shared_key_hint("context")
    ///     .differ(Differ::None)
    ///     .name("[internal] load build context")
    ///     .build();
    /// ```
    pub fn local(name: impl AsRef<str>) -> LocalSource {
        LocalSource::new(name.as_ref())
    }

    /// A git repository: a URL, `user@host:path`, or `host/path`, which means
    /// HTTPS. It may end in `#REF` or `#REF:SUBDIR`.
    ///
    /// ```
    /// use buildkit_llb::Source;
    ///
    /// let tree = Source::git("https://example.com/repo.git")
    ///     .reference("v1.2.3")
    ///     .subdir("cmd")
    ///     .build();
    /// # tree.check()?;
    /// # assert_eq!(tree, Source::git("https://example.com/repo.git#v1.2.3:cmd").build());
    /// # Ok::<(), buildkit_llb::Error>(())
    /// ```
    pub fn git(url: impl AsRef<str>) -> GitSource {
        GitSource::new(url.as_ref())
    }

    /// A download.
    ///
    /// ```
    /// use buildkit_llb::Source;
    ///
    /// let file = Source::http("https://example.com/ca.pem")
    ///     .filename("ca.pem")
    ///     .mode(0o644)
    ///     .build();
    /// # file.check()?;
    /// # Ok::<(), buildkit_llb::Error>(())
    /// ```
    pub fn http(url: impl Into<String>) -> HttpSource {
        HttpSource::new(url.into())
    }
}

/// What the builders of source ops have in common.
#[derive(Clone, Debug)]
struct Draft {
    identifier: String,
    attrs: BTreeMap<String, String>,
    error: Option<Error>,
}

impl Draft {
    fn new(identifier: String) -> Self {
        Draft {
            identifier,
            attrs: BTreeMap::new(),
            error: None,
        }
    }

    fn set(&mut self, attr: &str, value: impl Into<String>) {
        self.attrs.insert(attr.to_owned(), value.into());
    }

    fn finish(self, platform: Option<&Platform>, meta: OpMeta) -> Output {
        let operation = pb::op::Op::Source(pb::SourceOp {
            identifier: self.identifier,
            attrs: self.attrs,
        });
        finish(operation, Inputs::default(), platform, meta, self.error)
    }
}

/// File modes and such, as text. The leading zero says octal.
fn octal(mode: u32) -> String {
    format!("0{:o}", mode & 0o777)
}

/// A JSON list of texts as Go writes it, so that equal sources of other
/// frontends have equal digests.
fn json_list(items: &[String]) -> String {
    let mut json = String::from("[");
    for (number, item) in items.iter().enumerate() {
        json.push_str(if number == 0 { "\"" } else { ",\"" });
        for c in item.chars() {
            match c {
                '"' => json.push_str("\\\""),
                '\\' => json.push_str("\\\\"),
                '\n' => json.push_str("\\n"),
                '\r' => json.push_str("\\r"),
                '\t' => json.push_str("\\t"),
                '\u{8}' => json.push_str("\\b"),
                '\u{c}' => json.push_str("\\f"),
                // Go escapes these for the sake of HTML and JavaScript.
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' => {
                    json.push_str(&format!("\\u{:04x}", u32::from(c)));
                }
                c => json.push(c),
            }
        }
        json.push('"');
    }
    json.push(']');
    json
}

/// Collects texts.
fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_the_json_of_go() {
        assert_eq!(json_list(&[]), "[]");
        assert_eq!(json_list(&texts(["a", "b/*"])), r#"["a","b/*"]"#);
        assert_eq!(
            json_list(&texts(["<>&\"\\\n\u{1}\u{8}\u{c}\u{7f}é\u{2028}"])),
            "[\"\\u003c\\u003e\\u0026\\\"\\\\\\n\\u0001\\b\\f\u{7f}é\\u2028\"]"
        );
    }

    #[test]
    fn modes_are_octal() {
        assert_eq!(octal(0o644), "0644");
        assert_eq!(octal(0o4755), "0755");
    }
}
