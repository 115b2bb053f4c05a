//! Definition → text that people and golden tests can read.
//!
//! In: a definition, one's own or another's, sound or not. Out: its ops in their
//! order, numbered `%0`, `%1` …, one fact a line, each op once; then the files of
//! its source map, its result, and the digest of the result's op. Facts at their
//! default are left out. An op whose bytes say more than the text, because they
//! hold unknown fields or are encoded otherwise, shows its bytes as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write};

use buildkit_proto::pb;
use prost::Message;

use crate::{Digest, encode_op};

mod exec;
mod ops;

/// Definitions within definitions deeper than this are not shown.
const MAX_DEPTH: usize = 8;

/// Writes a definition as text.
///
/// ```
/// use buildkit_llb::{Describe, Exec, Mount, Platform, Source, text};
///
/// let image = Source::image("alpine").platform(Platform::parse("linux/arm64")?).build();
/// let exec = Exec::new(["true"]).mount(Mount::bind("/", &image)).name("try").build();
/// let text = text::render(&exec.root()?.marshal());
/// assert!(text.starts_with(
///     "%0 source docker-image://docker.io/library/alpine:latest
///    platform linux/arm64
///    cap source.image
/// %1 exec
///    input %0
///    arg true
///    cwd /
///    remove-mount-stubs
///    mount / from %0 output 0
///    name try
/// "));
/// # assert!(text.contains("result %1\n"));
/// # Ok::<(), buildkit_llb::Error>(())
/// ```
pub fn render(definition: &pb::Definition) -> String {
    let mut page = Page::default();
    page.definition(definition, 0);
    page.text
}

/// Text in the making.
#[derive(Default)]
struct Page {
    text: String,
    indent: usize,
}

impl Page {
    /// Writes a line.
    fn line(&mut self, line: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{:1$}{line}", "", self.indent);
    }

    /// Writes a line if its fact is not the default.
    fn fact(&mut self, when: bool, line: impl Display) {
        if when {
            self.line(line);
        }
    }

    fn definition(&mut self, definition: &pb::Definition, depth: usize) {
        let decoded = |bytes: &Vec<u8>| pb::Op::decode(bytes.as_slice());
        let last = definition.def.last().map(decoded);
        let terminal = match last {
            Some(Ok(op)) if op.op.is_none() => Some(op),
            _ => None,
        };
        let names = Names::new(definition);
        let mut shown = BTreeSet::new();
        let ops = definition.def.len() - usize::from(terminal.is_some());
        for bytes in &definition.def[..ops] {
            let digest = Digest::of(bytes);
            if shown.insert(digest.clone()) {
                self.vertex(definition, &names, &digest, bytes, depth);
            }
        }
        if let Some(source) = &definition.source {
            for info in &source.infos {
                self.file(info);
            }
        }
        let Some(terminal) = terminal else {
            return self.line("result none");
        };
        let bytes = definition.def.last().map_or(&[][..], Vec::as_slice);
        let digest = Digest::of(bytes);
        match terminal.inputs.first() {
            Some(result) => self.line(format_args!("result {}", names.input(result))),
            None => self.line("result none"),
        }
        self.indent += 3;
        self.facts_of(definition, &digest);
        if encode_op(&terminal) != bytes {
            self.bytes(bytes);
        }
        self.indent -= 3;
        shown.insert(digest);
        for digest in definition.metadata.keys() {
            let known = shown.iter().any(|shown| shown.as_str() == digest);
            self.fact(!known, format_args!("metadata without op {}", word(digest)));
        }
        if let Some(result) = terminal.inputs.first() {
            self.line(format_args!("head {}", word(&result.digest)));
        }
    }

    fn vertex(
        &mut self,
        definition: &pb::Definition,
        names: &Names,
        digest: &Digest,
        bytes: &[u8],
        depth: usize,
    ) {
        let name = names.op(digest.as_str());
        let op = pb::Op::decode(bytes);
        let kind = op.as_ref().map_or("undecodable".to_owned(), ops::heading);
        self.line(format_args!("{name} {kind}"));
        self.indent += 3;
        match op {
            Ok(op) => {
                self.op(&op, names, depth);
                if encode_op(&op) != bytes {
                    self.bytes(bytes);
                }
            }
            Err(error) => {
                self.line(format_args!("error {}", word(&error.to_string())));
                self.bytes(bytes);
            }
        }
        self.facts_of(definition, digest);
        self.indent -= 3;
    }

    /// What a definition says about an op besides its bytes.
    fn facts_of(&mut self, definition: &pb::Definition, digest: &Digest) {
        if let Some(metadata) = definition.metadata.get(digest.as_str()) {
            self.metadata(metadata);
        }
        if let Some(source) = &definition.source {
            let locations = source.locations.get(digest.as_str());
            for location in locations.iter().flat_map(|found| &found.locations) {
                self.location(&source.infos, location);
            }
        }
    }

    fn metadata(&mut self, metadata: &pb::OpMetadata) {
        for (key, text) in &metadata.description {
            match key.as_str() {
                crate::CUSTOM_NAME => self.line(format_args!("name {}", word(text))),
                key => self.line(format_args!("description {} {}", word(key), word(text))),
            }
        }
        self.fact(metadata.ignore_cache, "ignore-cache");
        if let Some(export) = &metadata.export_cache {
            self.line(format_args!("export-cache {}", export.value));
        }
        if let Some(group) = &metadata.progress_group {
            let weak = if group.weak { " weak" } else { "" };
            let (id, name) = (word(&group.id), word(&group.name));
            self.line(format_args!("progress-group {id} {name}{weak}"));
        }
        if let Some(limits) = &metadata.linux_resources {
            self.resources(limits);
        }
        for cap in metadata.caps.keys() {
            self.line(format_args!("cap {}", word(cap)));
        }
    }

    fn resources(&mut self, limits: &pb::LinuxResources) {
        for (name, value) in [
            ("memory", limits.memory.to_string()),
            ("memory-swap", limits.memory_swap.to_string()),
            ("cpu-shares", limits.cpu_shares.to_string()),
            ("cpu-period", limits.cpu_period.to_string()),
            ("cpu-quota", limits.cpu_quota.to_string()),
        ] {
            self.fact(value != "0", format_args!("limit {name} {value}"));
        }
        for (name, set) in [
            ("cpuset-cpus", &limits.cpuset_cpus),
            ("cpuset-mems", &limits.cpuset_mems),
        ] {
            self.fact(!set.is_empty(), format_args!("limit {name} {}", word(set)));
        }
    }

    fn location(&mut self, files: &[pb::SourceInfo], location: &pb::Location) {
        let number = usize::try_from(location.source_index).ok();
        let file = match number.and_then(|number| files.get(number)) {
            Some(info) => word(&info.filename),
            None => format!("file {}?", location.source_index),
        };
        let place = |place: &Option<pb::Position>| match place {
            Some(place) => format!("{}:{}", place.line, place.character),
            None => "?".to_owned(),
        };
        for range in &location.ranges {
            let (start, end) = (place(&range.start), place(&range.end));
            self.line(format_args!("at {file} {start}-{end}"));
        }
        self.fact(location.ranges.is_empty(), format_args!("at {file}"));
    }

    fn file(&mut self, info: &pb::SourceInfo) {
        let mut line = format!("file {} {} bytes", word(&info.filename), info.data.len());
        if !info.language.is_empty() {
            line += &format!(" {}", word(&info.language));
        }
        if let Some(definition) = &info.definition {
            line += &format!(" loaded by {} ops", definition.def.len());
        }
        self.line(line);
    }

    /// Writes bytes in hex.
    fn bytes(&mut self, bytes: &[u8]) {
        for row in bytes.chunks(32) {
            let hex: String = row.iter().map(|byte| format!("{byte:02x}")).collect();
            self.line(format_args!("bytes {hex}"));
        }
    }
}

/// The names of ops: `%0`, `%1` ….
struct Names(BTreeMap<String, usize>);

impl Names {
    fn new(definition: &pb::Definition) -> Self {
        let mut names = BTreeMap::new();
        for bytes in &definition.def {
            let next = names.len();
            names.entry(Digest::of(bytes).into()).or_insert(next);
        }
        Names(names)
    }

    fn op(&self, digest: &str) -> String {
        match self.0.get(digest) {
            Some(number) => format!("%{number}"),
            None => format!("missing {}", word(digest)),
        }
    }

    /// An op and which of its outputs, unless it is the first one.
    fn input(&self, input: &pb::Input) -> String {
        match input.index {
            0 => self.op(&input.digest),
            index => format!("{}[{index}]", self.op(&input.digest)),
        }
    }

    /// An input of an op, by its number there.
    fn numbered(&self, op: &pb::Op, number: i64) -> String {
        let input = usize::try_from(number)
            .ok()
            .and_then(|at| op.inputs.get(at));
        match input {
            Some(input) => self.input(input),
            None => format!("input {number}?"),
        }
    }
}

/// A text as it is if it is one plain word, in quotes otherwise.
fn word(text: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '\\');
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests;
