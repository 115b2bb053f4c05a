//! The user of an image, in numbers.
//!
//! Kubernetes' `runAsNonRoot` can only check numbers, so names are resolved when
//! the image is built: on scratch by making the entry, on a base image by reading
//! its `/etc/passwd` and `/etc/group`.

use super::layers::HOME;
use crate::image::ImageConfig;

/// Number of the default user and group, as in distroless images.
const DEFAULT_ID: u32 = 65532;
const DEFAULT_NAME: &str = "nonroot";
/// Number of `nobody`, whatever a base image says.
const NOBODY: u32 = 65534;

/// Who runs the program of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Runner {
    /// As the configuration says it.
    pub(super) text: String,
    /// Numbers of user and group, as a runtime will see them.
    pub(super) ids: (u32, u32),
    pub(super) home: Home,
}

/// What the variable `HOME` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Home {
    /// This directory.
    Is(&'static str),
    /// What the base image says: its user stays.
    OfBase,
    /// Nothing. Then runtimes take the directory of the user that they start.
    AskPasswd,
}

impl Runner {
    pub(super) fn on_scratch(user: &ScratchUser) -> Self {
        Self {
            text: user.numbers(),
            ids: (user.uid, user.gid),
            home: Home::Is(user.home()),
        }
    }

    /// `own` is the spec's word, `looked_up` what the base image says about the user.
    pub(super) fn on_base(base: &ImageConfig, own: Option<&str>, looked_up: Option<&str>) -> Self {
        let of_base = base.config.user.as_str();
        let text = match (looked_up, own) {
            (Some(numbers), _) => numbers.to_owned(),
            // Without a base to look into, as the tool is.
            (None, Some(own)) => lookup(own, "", "").unwrap_or_else(|_| own.to_owned()),
            (None, None) if of_base.is_empty() => ScratchUser::default().numbers(),
            (None, None) => of_base.to_owned(),
        };
        let (user, group) = split(&text);
        let number = |word: &str| word.parse().unwrap_or(0);
        let ids = (number(user), group.map_or(0, number));
        let (before, _) = split(of_base);
        let same = match before {
            "" | "root" => ids.0 == 0,
            before if own.is_none() || before == user => true,
            before => own.is_some_and(|own| split(own).0 == before),
        };
        Self {
            text,
            ids,
            home: if same { Home::OfBase } else { Home::AskPasswd },
        }
    }
}

/// The user that a scratch image gets an entry for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScratchUser {
    pub(super) name: String,
    pub(super) group: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Default for ScratchUser {
    fn default() -> Self {
        Self::parse(DEFAULT_NAME)
    }
}

impl ScratchUser {
    /// Reads `user` or `user:group`. A number is kept, a name gets the default
    /// number, unless it is one that every system has.
    pub(super) fn parse(text: &str) -> Self {
        let (user, group) = split(text);
        let (name, uid) = entry(user);
        let (group, gid) = match group {
            Some(group) => entry(group),
            None => (name.clone(), uid),
        };
        Self {
            name,
            group,
            uid,
            gid,
        }
    }

    /// The form that goes into the image configuration.
    pub(super) fn numbers(&self) -> String {
        format!("{}:{}", self.uid, self.gid)
    }

    /// The home directory.
    pub(super) fn home(&self) -> &'static str {
        match self.uid {
            0 => "/root",
            _ => HOME,
        }
    }

    /// `/etc/passwd` with root and the user.
    pub(super) fn passwd(&self) -> String {
        let home = self.home();
        let mut text = String::from("root:x:0:0:root:/root:/sbin/nologin\n");
        if self.uid != 0 {
            let Self { name, uid, gid, .. } = self;
            text.push_str(&format!(
                "{name}:x:{uid}:{gid}:{name}:{home}:/sbin/nologin\n"
            ));
        }
        text
    }

    /// `/etc/group` with root's group and the user's.
    pub(super) fn group_file(&self) -> String {
        let mut text = String::from("root:x:0:\n");
        if self.gid != 0 {
            text.push_str(&format!("{}:x:{}:\n", self.group, self.gid));
        }
        text
    }
}

fn entry(word: &str) -> (String, u32) {
    let name = |id| match id {
        0 => "root",
        NOBODY => "nobody",
        _ => DEFAULT_NAME,
    };
    match number(word) {
        Some(id) if word.parse::<u32>().is_ok() => (name(id).to_owned(), id),
        Some(id) => (word.to_owned(), id),
        None => (word.to_owned(), DEFAULT_ID),
    }
}

/// What needs no look into a base image: numbers, and names that mean one number everywhere.
/// Images disagree about `nobody` and `nogroup`, and a user is to be the same on all of them.
fn number(word: &str) -> Option<u32> {
    match word {
        "root" => Some(0),
        "nobody" | "nogroup" => Some(NOBODY),
        word => word.parse().ok(),
    }
}

/// Whether a user of the spec must be looked up in a base image: a name, or a number without a
/// group, which may have one there.
pub(super) fn needs_lookup(text: &str) -> bool {
    let (user, group) = split(text);
    match group {
        Some(group) => number(user).is_none() || number(group).is_none(),
        None => number(user).is_none() || user.parse::<u32>().is_ok(),
    }
}

/// Whether a base image's own user must be looked up there: names alone, for a number is what
/// its author chose.
pub(super) fn has_name(text: &str) -> bool {
    let (user, group) = split(text);
    let is_name = |word: &str| word.parse::<u32>().is_err();
    !text.is_empty() && (is_name(user) || group.is_some_and(is_name))
}

/// Looks a user up in the files of a base image: `uid:gid` in numbers.
///
/// # Errors
///
/// The word that neither file knows.
pub fn lookup(text: &str, passwd: &str, group_file: &str) -> Result<String, String> {
    let (user, group) = split(text);
    let line = |file: &'_ str, is: &dyn Fn(&[&str]) -> bool| -> Option<Vec<String>> {
        file.lines()
            .map(|line| line.split(':').collect::<Vec<_>>())
            .find(|fields| fields.len() > 2 && is(fields))
            .map(|fields| fields.into_iter().map(str::to_owned).collect())
    };
    let (uid, entry) = match number(user) {
        // The names that are the same everywhere have the group of their own number.
        Some(id) if user.parse::<u32>().is_err() => (id.to_string(), None),
        Some(id) => {
            let id = id.to_string();
            let entry = line(passwd, &|fields| fields[2] == id);
            (id, entry)
        }
        None => {
            let entry = line(passwd, &|fields| fields[0] == user);
            let entry = entry.ok_or_else(|| user.to_owned())?;
            (entry[2].clone(), Some(entry))
        }
    };
    let gid = match group {
        Some(group) => match number(group) {
            Some(id) => id.to_string(),
            None => {
                let entry = line(group_file, &|fields| fields[0] == group);
                entry.ok_or_else(|| group.to_owned())?[2].clone()
            }
        },
        None => entry
            .and_then(|entry| entry.get(3).cloned())
            .unwrap_or_else(|| uid.clone()),
    };
    Ok(format!("{uid}:{gid}"))
}

fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once(':') {
        Some((user, group)) if !group.is_empty() => (user, Some(group)),
        Some((user, _)) => (user, None),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_numbers_on_scratch() {
        let numbers = |text| ScratchUser::parse(text).numbers();
        assert_eq!(numbers("nonroot"), "65532:65532");
        assert_eq!(numbers("app"), "65532:65532");
        assert_eq!(numbers("root"), "0:0");
        assert_eq!(numbers("nobody"), "65534:65534");
        assert_eq!(numbers("nobody:nogroup"), "65534:65534");
        assert_eq!(numbers("1000"), "1000:1000");
        assert_eq!(numbers("1000:50"), "1000:50");
        assert_eq!(numbers("app:root"), "65532:0");
        assert_eq!(ScratchUser::default().numbers(), "65532:65532");
        assert!(
            ScratchUser::parse("app:team")
                .passwd()
                .contains("app:x:65532:65532:app:/home/nonroot:")
        );
        assert!(
            ScratchUser::parse("app:team")
                .group_file()
                .contains("team:x:65532:")
        );
        let root = ScratchUser::parse("0");
        assert_eq!(root.passwd().lines().count(), 1);
        assert_eq!(
            (root.home(), ScratchUser::default().home()),
            ("/root", HOME)
        );
    }

    #[test]
    fn the_home_of_a_base_image_is_that_of_its_user() {
        let home = |of_base: &str, own: Option<&str>, looked_up: Option<&str>| {
            let mut base = ImageConfig::default();
            of_base.clone_into(&mut base.config.user);
            Runner::on_base(&base, own, looked_up).home
        };
        assert_eq!(home("app", None, Some("1001:1002")), Home::OfBase);
        assert_eq!(home("1000", None, None), Home::OfBase);
        assert_eq!(home("1000", Some("1000:5"), None), Home::OfBase);
        assert_eq!(home("app", Some("app"), Some("1001:1002")), Home::OfBase);
        assert_eq!(home("", Some("root"), None), Home::OfBase);
        assert_eq!(home("", None, None), Home::AskPasswd, "root's before");
        assert_eq!(home("app", Some("0"), Some("0:0")), Home::AskPasswd);
        assert_eq!(home("0", Some("app"), Some("1:1")), Home::AskPasswd);
    }

    #[test]
    fn names_are_looked_up_in_a_base_image() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\napp:x:1001:1002::/app:/bin/sh\n";
        let group = "root:x:0:\nstaff:x:50:\n";
        let look = |text| lookup(text, passwd, group);
        assert_eq!(look("app").as_deref(), Ok("1001:1002"));
        assert_eq!(look("app:staff").as_deref(), Ok("1001:50"));
        assert_eq!(look("app:7").as_deref(), Ok("1001:7"));
        assert_eq!(look("other"), Err("other".to_owned()));
        assert_eq!(look("app:nope"), Err("nope".to_owned()));
        assert_eq!(lookup("root", "", "").as_deref(), Ok("0:0"));
        assert_eq!(look("1001").as_deref(), Ok("1001:1002"), "its group there");
        assert_eq!(look("1000").as_deref(), Ok("1000:1000"), "as on scratch");
        assert_eq!(look("0:staff").as_deref(), Ok("0:50"));
        let nobody = "nobody:x:99:99::/:\n";
        assert_eq!(
            lookup("nobody", nobody, nobody).as_deref(),
            Ok("65534:65534")
        );
        assert_eq!(look("nobody:nogroup").as_deref(), Ok("65534:65534"));
        for text in ["app", "1:app", "1000", "nobody:app"] {
            assert!(needs_lookup(text), "{text}");
        }
        for text in ["1:2", "nobody", "nobody:nogroup", "root", "0:nogroup"] {
            assert!(!needs_lookup(text), "{text}");
        }
        assert!(has_name("app") && has_name("1:app") && !has_name("1000") && !has_name(""));
    }
}
