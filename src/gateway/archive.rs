//! What a download is: an archive or a file.
//!
//! In: its first bytes. Out: whether the daemon unpacks it.
//!
//! Rules of BuildKit v0.32, `frontend/dockerui/context.go` (`isArchive`).

/// Whether a download is unpacked: bzip2, gzip, xz, or a tar header.
pub(super) fn is_archive(head: &[u8]) -> bool {
    let magic: [&[u8]; 3] = [
        b"BZh",
        &[0x1f, 0x8b, 0x08],
        &[0xfd, b'7', b'z', b'X', b'Z', 0],
    ];
    magic.iter().any(|magic| head.starts_with(magic)) || is_tar(head)
}

/// Whether the first block is a tar header: its checksum, taken with blanks in
/// place of itself, is written in it in octal.
fn is_tar(head: &[u8]) -> bool {
    const BLOCK: usize = 512;
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let Some(block) = head.get(..BLOCK) else {
        return false;
    };
    let field: Vec<u8> = block[CHECKSUM]
        .iter()
        .copied()
        .skip_while(|b| *b == b' ')
        .take_while(u8::is_ascii_digit)
        .collect();
    let Ok(written) = u64::from_str_radix(&String::from_utf8_lossy(&field), 8) else {
        return false;
    };
    let sum: u64 = block
        .iter()
        .enumerate()
        .map(|(i, b)| u64::from(if CHECKSUM.contains(&i) { b' ' } else { *b }))
        .sum();
    sum == written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_told_from_specs() {
        assert!(is_archive(b"BZh9"));
        assert!(is_archive(&[0x1f, 0x8b, 0x08, 0]));
        assert!(!is_archive(b"# syntax=gofleet\nservices:\n"));
        assert!(!is_archive(&[0; 1024]));
        let mut header = [0; 512];
        header[..6].copy_from_slice(b"go.mod");
        header[148..156].copy_from_slice(b"        ");
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
        header[154] = 0;
        assert!(is_archive(&header));
        header[0] = b'x';
        assert!(!is_archive(&header));
    }
}
