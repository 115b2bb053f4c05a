//! Sets of paths in JSON, as short as they can be said.
//!
//! Sorted paths begin alike. So each is written as what it has in common with the one
//! before it, in bytes, and the rest: `lib/a`, `lib/b` and `lib/b/c` are
//! `[0,"lib/a",4,"b",5,"/c"]`. Files for steps are part of the graph, once for every
//! service, and a graph has to fit into one message.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeSeq as _;
use serde::{Deserializer, Serializer};

/// Writes a set; for `serde(with)`.
///
/// # Errors
///
/// As of the serializer.
pub(crate) fn serialize<S: Serializer>(
    names: &BTreeSet<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(2 * names.len()))?;
    let mut before = "";
    for name in names {
        let common = common(before, name);
        list.serialize_element(&common)?;
        list.serialize_element(&name[common..])?;
        before = name;
    }
    list.end()
}

/// Reads a set; for `serde(with)`.
///
/// # Errors
///
/// As of the deserializer, and for lists that are not as [`serialize`] writes them.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeSet<String>, D::Error> {
    deserializer.deserialize_seq(Names)
}

/// How many bytes two texts have in common at their beginnings.
fn common(a: &str, b: &str) -> usize {
    let bytes = a.bytes().zip(b.bytes());
    let equal = bytes.take_while(|(a, b)| a == b).count();
    (0..=equal)
        .rev()
        .find(|at| b.is_char_boundary(*at))
        .unwrap_or(0)
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = BTreeSet<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers and texts in turn")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut names = BTreeSet::new();
        let mut before = String::new();
        while let Some(common) = list.next_element::<usize>()? {
            let rest: String = list
                .next_element()?
                .ok_or_else(|| Error::custom("a number without a text"))?;
            let start = before.get(..common);
            let start = start.ok_or_else(|| Error::custom("more in common than there is"))?;
            before = format!("{start}{rest}");
            names.insert(before.clone());
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Set(#[serde(with = "super")] BTreeSet<String>);

    fn set(names: &[&str]) -> Set {
        Set(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn beginnings_are_said_once() {
        let json = serde_json::to_string(&set(&["lib/b/c", "lib/b", "lib/a"])).unwrap();
        assert_eq!(json, r#"[0,"lib/a",4,"b",5,"/c"]"#);
    }

    #[test]
    fn sets_come_back() {
        for names in [
            &[][..],
            &[""],
            &["", "a"],
            &["é/1", "è/1", "e", "è"],
            &["a\nb", "a\"", "a/b", "a/b/c", "a-b"],
        ] {
            let json = serde_json::to_string(&set(names)).unwrap();
            assert_eq!(serde_json::from_str::<Set>(&json).unwrap(), set(names));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for json in ["[1,\"a\"]", "[0]", "[\"a\"]", "[0,\"é\",1,\"a\"]", "{}"] {
            assert!(serde_json::from_str::<Set>(json).is_err(), "{json}");
        }
    }
}
