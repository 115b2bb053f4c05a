//! As much of ELF as `file` would say of a Go binary: 64 bit, little endian.
//!
//! Fields of the ELF-64 object file format: header, program and section tables.

/// What the headers of a program say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Elf {
    pub(crate) machine: Machine,
    /// Whether it names a dynamic loader, which a scratch image has not.
    pub(crate) dynamic: bool,
    /// Whether it has a symbol table or debugging information.
    pub(crate) symbols: bool,
}

/// The processor it is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    Amd64,
    Arm64,
    Other(u16),
}

const LOADER: u32 = 3;
const DYNAMIC: u32 = 2;
const SYMBOL_TABLE: u32 = 2;

impl Elf {
    /// Reads the headers.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        assert!(
            bytes.starts_with(b"\x7fELF\x02\x01"),
            "not a 64-bit little-endian ELF file"
        );
        let programs = table(bytes, 32, 54);
        let sections = table(bytes, 40, 58);
        let names = sections
            .get(usize::from(u16_at(bytes, 62)))
            .map_or(0, |&at| offset(bytes, at + 24));
        let debug = |at: usize| name(bytes, names, at).starts_with(".debug_");
        Self {
            machine: match u16_at(bytes, 18) {
                62 => Machine::Amd64,
                183 => Machine::Arm64,
                other => Machine::Other(other),
            },
            dynamic: programs
                .iter()
                .any(|&at| [LOADER, DYNAMIC].contains(&u32_at(bytes, at))),
            symbols: sections
                .iter()
                .any(|&at| u32_at(bytes, at + 4) == SYMBOL_TABLE || debug(at)),
        }
    }
}

/// Offsets of a table's entries: its place at `place`, entry size and count at `size`.
fn table(bytes: &[u8], place: usize, size: usize) -> Vec<usize> {
    let (start, entry) = (offset(bytes, place), usize::from(u16_at(bytes, size)));
    (0..usize::from(u16_at(bytes, size + 2)))
        .map(|index| start + index * entry)
        .collect()
}

fn name(bytes: &[u8], names: usize, section: usize) -> String {
    let start = names + usize::try_from(u32_at(bytes, section)).unwrap();
    let end = bytes[start..].iter().position(|byte| *byte == 0).unwrap();
    String::from_utf8_lossy(&bytes[start..start + end]).into_owned()
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn offset(bytes: &[u8], at: usize) -> usize {
    usize::try_from(u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())).unwrap()
}

/// The Go that linked a program, `go1.26.8`: a blob that Go leaves in every binary, stripped
/// or not (Go 1.26, `debug/buildinfo`: 16 bytes of head, padded to 32, then a string with
/// its length in front).
pub(crate) fn go_version(bytes: &[u8]) -> Option<&str> {
    memchr::memmem::find_iter(bytes, b"\xff Go buildinf:").find_map(|at| {
        let length = usize::from(*bytes.get(at + 32)?);
        let text = bytes.get(at + 33..at + 33 + length)?;
        // A program may hold the mark for reasons of its own.
        let text = std::str::from_utf8(text).ok()?;
        text.starts_with("go1.").then_some(text)
    })
}

/// The reader itself, on a program that is known: this test, which is dynamic
/// and has symbols.
#[test]
fn this_program_is_dynamic_and_has_symbols() {
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let elf = Elf::read(&own);
    assert!(elf.dynamic && elf.symbols, "{elf:?}");
}
