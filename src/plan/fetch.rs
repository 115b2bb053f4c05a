//! stub
use std::collections::BTreeMap;
/// stub
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fetch {
    /// stub
    pub settings: BTreeMap<String, String>,
    /// stub
    pub secrets: Vec<Secret>,
}
/// stub
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// stub
    pub id: String,
}
