//! From a repository that shows something to one that shows it with fewer features.

use crate::features::Feature;
use crate::finding::Finding;

/// Leaves out one feature after the other while what was found is still there.
pub(crate) fn shrink(
    mut features: Vec<(usize, Feature)>,
    mut found: Finding,
    mut check: impl FnMut(&[(usize, Feature)], &Finding) -> Result<(), Finding>,
) -> (Vec<(usize, Feature)>, Finding) {
    let mut at = features.len();
    while at > 0 {
        at -= 1;
        let mut fewer = features.clone();
        fewer.remove(at);
        if let Err(finding) = check(&fewer, &found)
            && finding.kind == found.kind
        {
            features = fewer;
            found = finding;
            // What came before may be needless without it.
            at = features.len().min(at + 1);
        }
    }
    (features, found)
}
