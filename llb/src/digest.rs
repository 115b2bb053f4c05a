//! Digests of ops.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The SHA-256 digest of an encoded op: its name in the graph.
///
/// ```
/// use buildkit_llb::Digest;
///
/// let digest = Digest::of(b"");
/// assert!(digest.as_str().starts_with("sha256:e3b0c442"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

impl Digest {
    /// The digest of bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut text = String::from("sha256:");
        for byte in Sha256::digest(bytes) {
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(digit.into(), 16));
            }
        }
        Digest(text)
    }

    /// A digest that someone else computed.
    pub(crate) fn named(text: &str) -> Self {
        Digest(text.to_owned())
    }

    /// `sha256:` and 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Digest {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
