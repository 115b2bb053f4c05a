//! `--call affected`: which services differ from the named context `base`.
//!
//! Both trees stay on the daemon: a step of our own image compares them.

use std::collections::BTreeMap;

use super::Session;
use crate::affected::{self, Report};
use crate::diag;
use crate::gateway::{ContextQuery, Error, FrontendResult, subrequest};
use crate::lower::{self, AFFECTED_FILE, AffectedInputs};
use crate::plan;
use crate::scan::select;

/// Name of the context to compare with.
const BASE: &str = "base";

/// Shared key hint of the transfer.
const HINT: &str = "gofleet-affected";

/// Answers the call.
pub(super) async fn answer(session: &Session<'_>) -> Result<FrontendResult, Error> {
    let Some(base) = session.loader.named_tree(BASE, &session.native()).await? else {
        return Err(Error::Request(
            "`--call affected` compares with a context named `base`: add \
             `--build-context base=../old`, or `--build-context base=https://…git#main`"
                .to_owned(),
        ));
    };
    // What is wrong with the spec is said here, where its places are known.
    let (spec, _) = session.spec().await?;
    let request = session.plan_request();
    let (_, problems) = plan::plan_each(&spec, &request);
    if diag::has_errors(&problems) {
        return Err(session.spec_error(problems));
    }
    let is_local = session.loader.is_local().await?;
    let file = &session.loaded.file_name;
    let mut query = ContextQuery {
        hint: HINT.to_owned(),
        name: "[internal] load all files".to_owned(),
        ..ContextQuery::default()
    };
    if is_local {
        query.leave_out.push(".git".to_owned());
        // Where the spec is in the context says where it is in the base.
        query.exclude.push(format!("!{}", select::escape(file)));
    }
    let head = session.loader.context(&query).await?;
    let ignore = session.loader.ignore().await?;
    let used = spec.args().into_iter();
    let args: BTreeMap<String, String> = used
        .filter_map(|arg| Some((arg.name.clone(), request.build_args.get(&arg.name)?.clone())))
        .collect();
    let step = lower::affected_step(&AffectedInputs {
        frontend: &session.frontend_image()?,
        head: &head,
        base: base.as_ref(),
        spec: (file, &session.loaded.bytes),
        ignore: is_local.then_some(ignore.source_info.data.as_slice()),
        options: session.options,
        args,
    })
    .map_err(|error| Error::Internal(error.to_string()))?;
    let tree = session.solve_output(&step).await?;
    let json = session.gateway.read_file(&tree, AFFECTED_FILE).await?;
    let report: Report = serde_json::from_slice(&json)
        .map_err(|error| Error::Internal(format!("the comparison wrote no report: {error}")))?;
    Ok(subrequest::affected(
        affected::json(&report),
        affected::text(&report),
    ))
}
