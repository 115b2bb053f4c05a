//! Builder images: what is said about the line that chooses one.

use std::sync::Arc;

use buildkit_proto::pb;

use super::Session;
use super::sources::Scanned;
use crate::diag::{Diagnostic, Rule, Span};
use crate::gateway::{Error, SpecError, Warning};
use crate::lower;
use crate::plan::{GoSetting, Plan};
use crate::scan::gomod;

impl Session<'_> {
    /// Says where another Go than the asked one compiles.
    pub(super) async fn note_old_go(&self, plan: &Plan, scanned: &Scanned) -> Result<(), Error> {
        let mut warnings = Vec::new();
        for SpecError { file, diagnostics } in self.old_go(plan, scanned).await? {
            for Diagnostic {
                message,
                span,
                hint,
                ..
            } in diagnostics
            {
                let place = span.map_or(1, |span| span.start.line);
                let hint = hint.unwrap_or_default();
                let text = format!("{}:{place}: {message}; {hint}", file.filename);
                warnings.push(Warning::at_line(Rule::OldGo, text, place, &file));
            }
        }
        self.show(warnings).await
    }

    /// Manifests with a line that another Go than the asked one serves.
    pub(super) async fn old_go(
        &self,
        plan: &Plan,
        scanned: &Scanned,
    ) -> Result<Vec<SpecError>, Error> {
        let lines = lower::go_lines(plan, &scanned.index).into_keys();
        let mut found = Vec::new();
        for line in lines.filter(|line| !line.is_served()) {
            let file = self.file_of(scanned, &line.file).await?;
            let text = String::from_utf8_lossy(&file.data);
            let diagnostics = vec![line.note(&text, &self.loaded.file_name)];
            let file = Arc::new(file);
            found.push(SpecError { file, diagnostics });
        }
        Ok(found)
    }

    /// An image that cannot be had, at the line that asks for it; any other error, and of
    /// any other image, stays what it is.
    pub(super) async fn no_image(
        &self,
        plan: &Plan,
        scanned: &Scanned,
        reference: &str,
        error: Error,
    ) -> Error {
        if !error.is_no_image() {
            return error;
        }
        let diagnostic = |span: Span, hint: &str| {
            Diagnostic::new(Rule::NoGoImage, error.to_string())
                .at(span)
                .hint(hint.to_owned())
        };
        if let GoSetting::Version(written) | GoSetting::Image(written) = &plan.go
            && lower::is_builder(plan, &scanned.index, reference)
        {
            let hint = "write a version that there is an image of, such as `go: \"1.26\"`, or \
                        `go: IMAGE` for one of your own";
            return self.spec_error(vec![diagnostic(written.span, hint)]);
        }
        let lines = lower::go_lines(plan, &scanned.index);
        let line = lines
            .into_iter()
            .find(|(_, images)| images.iter().any(|i| i == reference));
        let Some((line, _)) = line else {
            return error;
        };
        let file = match self.file_of(scanned, &line.file).await {
            Ok(file) => file,
            Err(error) => return error,
        };
        let place = gomod::line_of(&String::from_utf8_lossy(&file.data), line.verb);
        let hint = format!(
            "write `go: VERSION` at the top of {} to build with another Go, or `go: IMAGE` with an \
             image of your own",
            self.loaded.file_name
        );
        Error::Files(vec![SpecError {
            file: Arc::new(file),
            diagnostics: vec![diagnostic(Span::at(place, 1), &hint)],
        }])
    }

    /// A scanned file, to show its lines.
    pub(super) async fn file_of(
        &self,
        scanned: &Scanned,
        name: &str,
    ) -> Result<pb::SourceInfo, Error> {
        let tree = self.solve_output(&scanned.code).await?;
        Ok(pb::SourceInfo {
            filename: name.to_owned(),
            data: self.gateway.read_file(&tree, name).await?,
            ..pb::SourceInfo::default()
        })
    }
}
