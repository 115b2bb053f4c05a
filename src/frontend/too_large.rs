//! What to do about a graph that is larger than a builder's messages.

use crate::gateway::Error;
use crate::plan::{Plan, Selection};

/// Adds to the refusal of a graph what can be done about it; other errors stay.
pub(super) fn advise(error: Error, plan: &Plan) -> Error {
    let Error::TooLarge { .. } = &error else {
        return error;
    };
    let services = plan.platforms.iter().map(|p| p.services.len()).max();
    let advice = match &plan.selection {
        Selection::All | Selection::Binaries => format!(
            "one result cannot be sent in parts, so build its {} services as targets of \
             their own, whose graphs are small: \
             `docker buildx build --call bake . | docker buildx bake -f -`",
            services.unwrap_or_default()
        ),
        Selection::Deps => "split the spec: a context can have several".to_owned(),
        Selection::Service(name) => format!(
            "service `{name}` reads too many directories; a newer BuildKit takes 16 MiB, \
             and less is sent when packages lie closer together"
        ),
    };
    Error::Request(format!("{error}: {advice}"))
}
