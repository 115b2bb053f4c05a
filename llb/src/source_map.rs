//! Places in the user's files that ops come from.
//!
//! When an op fails, the client prints these places. A file is held once, by
//! reference, however many ops point into it.

use std::fmt;
use std::sync::Arc;

use buildkit_proto::pb;

use crate::Output;

/// A file of the user.
///
/// ```
/// use buildkit_llb::{Describe, Position, Range, Source, SourceFile, SourceLocation};
///
/// let file = SourceFile::new("fleet.yaml", "base: alpine\n").language("YAML");
/// let line = Range::lines(1, 1);
/// let image = Source::image("alpine")
///     .location(&SourceLocation::new(&file, [line]))
///     .build();
/// # let map = image.marshal().source.unwrap();
/// # assert_eq!(map.infos[0].filename, "fleet.yaml");
/// # assert_eq!(map.locations.len(), 1);
/// ```
#[derive(Clone, PartialEq)]
pub struct SourceFile(Arc<pb::SourceInfo>);

impl SourceFile {
    /// A file by the name that users know and its content.
    pub fn new(name: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        SourceFile(Arc::new(pb::SourceInfo {
            filename: name.into(),
            data: data.into(),
            ..Default::default()
        }))
    }

    /// Sets the language, as github-linguist names it. For colours.
    pub fn language(mut self, language: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).language = language.into();
        self
    }

    /// Adds the graph that loads the file.
    pub fn loaded_by(mut self, output: &Output) -> Self {
        Arc::make_mut(&mut self.0).definition = Some(output.marshal());
        self
    }

    /// The message of the wire.
    pub fn info(&self) -> &pb::SourceInfo {
        &self.0
    }

    pub(crate) fn from_info(info: &pb::SourceInfo) -> Self {
        SourceFile(Arc::new(info.clone()))
    }

    /// Whether two files are the same, which is quick for clones.
    pub(crate) fn same(&self, other: &SourceFile) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.data.len();
        write!(f, "SourceFile({:?}, {size} bytes)", self.0.filename)
    }
}

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Character; carried, but not shown by clients.
    pub character: u32,
}

/// A part of a file, both ends included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    /// First place.
    pub start: Position,
    /// Last place.
    pub end: Position,
}

impl Range {
    /// Whole lines, from 1, both ends included.
    pub fn lines(first: u32, last: u32) -> Self {
        let at = |line| Position { line, character: 0 };
        Range {
            start: at(first),
            end: at(last),
        }
    }
}

impl From<Range> for pb::Range {
    fn from(range: Range) -> Self {
        // Both ends are always set: printers look into both.
        let position = |p: Position| pb::Position {
            line: p.line.try_into().unwrap_or(i32::MAX),
            character: p.character.try_into().unwrap_or(i32::MAX),
        };
        pb::Range {
            start: Some(position(range.start)),
            end: Some(position(range.end)),
        }
    }
}

/// Parts of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceLocation {
    pub(crate) file: SourceFile,
    pub(crate) ranges: Vec<pb::Range>,
}

impl SourceLocation {
    /// The given parts of a file.
    pub fn new(file: &SourceFile, ranges: impl IntoIterator<Item = Range>) -> Self {
        SourceLocation {
            file: file.clone(),
            ranges: ranges.into_iter().map(pb::Range::from).collect(),
        }
    }
}
