//! The time that `SOURCE_DATE_EPOCH` stands for.
//!
//! In: the build arg: seconds, `context`, or the name of a context. Out:
//! seconds. The daemon reads a number by itself; of a context only a frontend
//! knows which source it is.
//!
//! Rules of BuildKit v0.32: `frontend/dockerfile/dockerfile2llb/epoch.go`.

use buildkit_llb::{Output, Platform};
use buildkit_proto::gateway::{ResolveSourceGitRequest, ResolveSourceMetaRequest};
use buildkit_proto::pb;
use buildkit_proto::prost::Message;

use super::caps::gateway as cap;
use super::error::Error;
use super::load::{Loader, definition};
use crate::options::SourceDateEpoch;

impl Loader<'_> {
    /// Seconds since 1970 that `SOURCE_DATE_EPOCH` asks for; `None` without it,
    /// and for sources without a time, such as local directories.
    ///
    /// `native` is the platform for which a named context is looked up.
    ///
    /// # Errors
    ///
    /// It is neither a number nor a context, or the source cannot be asked.
    pub async fn source_date_epoch(&self, native: &Platform) -> Result<Option<i64>, Error> {
        let name = match &self.options.source_date_epoch {
            None => return Ok(None),
            Some(SourceDateEpoch::Seconds(seconds)) => return Ok(Some(*seconds)),
            Some(SourceDateEpoch::Of(name)) => name.as_str(),
        };
        if name == "context" {
            return match self.remote_source().await? {
                Some(source) => {
                    self.time_of(source, "[internal] resolve main build context metadata")
                        .await
                }
                None => Ok(None),
            };
        }
        let invalid = || {
            Error::Request(format!(
                "invalid `--build-arg SOURCE_DATE_EPOCH`: expected seconds since 1970, \
                 `context` or the name of a context, found `{name}`"
            ))
        };
        // A text that is no reference names no context either.
        let named = self.options.contexts.named(name, native).ok().flatten();
        named.ok_or_else(invalid)?;
        let image = self.named_image(name, native).await?;
        match image.and_then(|image| image.output) {
            Some(output) => {
                let log_name = format!("[internal] resolve SOURCE_DATE_EPOCH named context {name}");
                self.time_of(&output, &log_name).await
            }
            None => Ok(None),
        }
    }

    /// The time of a commit, or when a download was changed last.
    async fn time_of(&self, source: &Output, log_name: &str) -> Result<Option<i64>, Error> {
        let source = source_op(source)?;
        let Some(source) =
            source.filter(|_| self.gateway.caps().gateway.supports(cap::SOURCE_META))
        else {
            return Ok(None);
        };
        let is_git = source.identifier.starts_with("git://");
        let request = ResolveSourceMetaRequest {
            source: Some(source),
            log_name: log_name.to_owned(),
            git: is_git.then_some(ResolveSourceGitRequest {
                return_object: true,
            }),
            ..ResolveSourceMetaRequest::default()
        };
        let answer = self.gateway.resolve_source_meta(request).await?;
        if let Some(git) = answer.git {
            return Ok(commit_time(&git.commit_object));
        }
        let modified = answer.http.and_then(|http| http.last_modified);
        Ok(modified.map(|time| time.seconds))
    }
}

/// The source that an output is, if it is one.
fn source_op(output: &Output) -> Result<Option<pb::SourceOp>, Error> {
    let definition = definition(output)?;
    let op = |bytes: &Vec<u8>| pb::Op::decode(bytes.as_slice()).ok();
    let mut ops = definition.def.iter().filter_map(op);
    // The op of a source stands alone before the terminal.
    Ok(
        match (ops.next().and_then(|op| op.op), definition.def.len()) {
            (Some(pb::op::Op::Source(source)), 2) => Some(source),
            _ => None,
        },
    )
}

/// Reads the `committer` line of a commit: name, address, seconds, zone.
fn commit_time(object: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(object);
    let mut headers = text.lines().take_while(|line| !line.is_empty());
    let committer = headers.find_map(|line| line.strip_prefix("committer "))?;
    let (_, time) = committer.rsplit_once('>')?;
    time.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_tell_when_they_were_made() {
        let commit = "tree 1\nparent 2\nauthor A <a@x> 5 +0000\n\
                      committer B <odd> name <b@x> 1700000000 +0200\n\ncommitter C <c> 7 +0000\n";
        assert_eq!(commit_time(commit.as_bytes()), Some(1_700_000_000));
        assert_eq!(commit_time(b"tree 1\n\ncommitter C <c> 7 +0000\n"), None);
        assert_eq!(commit_time(b""), None);
    }
}
