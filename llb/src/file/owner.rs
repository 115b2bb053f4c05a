//! Owners of files.

use std::fmt;

use buildkit_proto::pb;

use crate::Output;
use crate::output::Inputs;

/// A user or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// By number.
    Id(u32),
    /// By name, looked up in the passwd or group file of a tree.
    Name(String),
}

impl User {
    /// A number, or else a name; `root` is number 0 everywhere.
    fn parse(text: &str) -> Self {
        match text.parse() {
            Ok(id) => User::Id(id),
            Err(_) if text == "root" => User::Id(0),
            Err(_) => User::Name(text.to_owned()),
        }
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            User::Id(id) => id.fmt(f),
            User::Name(name) => name.fmt(f),
        }
    }
}

/// The owner that an action gives to files.
///
/// ```
/// use buildkit_llb::{Owner, User};
///
/// assert_eq!(Owner::parse("65532:65532"), Owner::ids(65532, 65532));
/// assert_eq!(Owner::parse("www"), Owner::user(User::Name("www".into())));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Owner {
    user: Option<User>,
    group: Option<User>,
    tree: Option<Output>,
}

impl Owner {
    /// A user and a group by number.
    pub fn ids(uid: u32, gid: u32) -> Self {
        Owner::user(User::Id(uid)).group(User::Id(gid))
    }

    /// A user; the group is left to the daemon.
    pub fn user(user: User) -> Self {
        Owner {
            user: Some(user),
            ..Owner::default()
        }
    }

    /// Sets the group.
    pub fn group(mut self, group: User) -> Self {
        self.group = Some(group);
        self
    }

    /// Reads `USER` or `USER:GROUP`, as in `COPY --chown`.
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some((user, group)) => Owner::user(User::parse(user)).group(User::parse(group)),
            None => Owner::user(User::parse(text)),
        }
    }

    /// Looks names up in this tree instead of the one that the file op is on.
    pub fn lookup_in(mut self, tree: &Output) -> Self {
        self.tree = Some(tree.clone());
        self
    }

    /// The tree to look names up in, if that is needed and not the base.
    pub(super) fn tree(&self) -> Option<&Output> {
        let named = |user: &Option<User>| matches!(user, Some(User::Name(_)));
        let needed = named(&self.user) || named(&self.group);
        self.tree.as_ref().filter(|_| needed)
    }

    pub(super) fn encode(self, base: i64, inputs: &Inputs) -> pb::ChownOpt {
        let tree = self.tree.as_ref();
        let position = tree.and_then(|tree| inputs.0.iter().position(|input| input == tree));
        let input = position.map_or(base, |number| number as i64);
        let encode = |user: User| pb::UserOpt {
            user: Some(match user {
                User::Id(id) => pb::user_opt::User::ById(id),
                User::Name(name) => pb::user_opt::User::ByName(pb::NamedUserOpt { name, input }),
            }),
        };
        pb::ChownOpt {
            user: self.user.map(encode),
            group: self.group.map(encode),
        }
    }
}
