//! What happened before a build.

use anyhow::Result;

use super::subject::Subject;
use super::worktree::Worktree;

/// One thing that a person did, or a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scenario {
    Cold,
    Nothing,
    LeafSmall,
    LeafLarge,
    Shared,
    Readme,
    Commit,
    Bump,
    Platforms,
    Fresh,
}

impl Scenario {
    /// Those of every round, in their order. The first one leaves what the others need.
    pub(super) const ROUND: [Self; 8] = [
        Self::Cold,
        Self::Nothing,
        Self::LeafSmall,
        Self::LeafLarge,
        Self::Shared,
        Self::Readme,
        Self::Commit,
        Self::Bump,
    ];

    /// As the command line names it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Nothing => "nothing",
            Self::LeafSmall => "leaf-small",
            Self::LeafLarge => "leaf-large",
            Self::Shared => "shared",
            Self::Readme => "readme",
            Self::Commit => "commit",
            Self::Bump => "bump",
            Self::Platforms => "platforms",
            Self::Fresh => "fresh",
        }
    }

    /// As tables show it.
    pub(super) fn title(self, subject: &Subject) -> String {
        let packages = |at: usize| subject.services[at].packages;
        match self {
            Self::Cold => "cold, modules at hand".to_owned(),
            Self::Nothing => "nothing changed".to_owned(),
            Self::LeafSmall => format!(
                "the smallest service edited ({} packages)",
                packages(subject.small)
            ),
            Self::LeafLarge => format!(
                "the largest service edited ({} packages)",
                packages(subject.large)
            ),
            Self::Shared => format!("a package edited that {} services import", subject.shared.1),
            Self::Readme => "README edited".to_owned(),
            Self::Commit => "a commit without a change".to_owned(),
            Self::Bump => "a module bumped".to_owned(),
            Self::Platforms => "cold, for amd64 and arm64".to_owned(),
            Self::Fresh => {
                "empty builder with a registry cache, the smallest service edited".to_owned()
            }
        }
    }

    /// Whether a repository has what it takes.
    pub(super) fn possible(self, subject: &Subject) -> bool {
        self != Self::Bump || subject.bump.is_some()
    }

    /// Whether Go's build cache is empty before.
    pub(super) fn is_cold(self) -> bool {
        matches!(self, Self::Cold | Self::Platforms)
    }

    /// The service that is edited alone.
    pub(super) fn only(self, subject: &Subject) -> Option<usize> {
        match self {
            Self::LeafSmall | Self::Fresh => Some(subject.small),
            Self::LeafLarge => Some(subject.large),
            _ => None,
        }
    }

    /// Does it to the files.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub(super) fn edit(self, subject: &Subject, tree: &mut Worktree) -> Result<()> {
        match self {
            Self::Cold | Self::Platforms => tree.edit_everything(subject),
            Self::Nothing => Ok(()),
            Self::LeafSmall | Self::Fresh => tree.edit_code(&subject.services[subject.small].file),
            Self::LeafLarge => tree.edit_code(&subject.services[subject.large].file),
            Self::Shared => tree.edit_code(&subject.shared.0),
            Self::Readme => tree.edit_text("README.md"),
            Self::Commit => tree.commit(),
            Self::Bump => match subject.bump {
                Some((module, versions)) => tree.bump(module, versions),
                None => Ok(()),
            },
        }
    }
}
