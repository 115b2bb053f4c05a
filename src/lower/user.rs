//! The user of an image, in numbers.
//!
//! Kubernetes' `runAsNonRoot` can only check numbers, so names are resolved when
//! the image is built: on scratch by making the entry, on a base image by reading
//! its `/etc/passwd` and `/etc/group`.

/// Number of the default user and group, as in distroless images.
pub(super) const DEFAULT_ID: u32 = 65532;
const DEFAULT_NAME: &str = "nonroot";

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
    /// number, except `root`.
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

    /// `/etc/passwd` with root and the user.
    pub(super) fn passwd(&self, home: &str) -> String {
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
    match word.parse() {
        Ok(0) => ("root".to_owned(), 0),
        Ok(id) => (DEFAULT_NAME.to_owned(), id),
        Err(_) if word == "root" => (word.to_owned(), 0),
        Err(_) => (word.to_owned(), DEFAULT_ID),
    }
}

/// Whether a user has a name in it that must be looked up.
#[must_use]
pub fn needs_lookup(text: &str) -> bool {
    let (user, group) = split(text);
    let is_name = |word: &str| word.parse::<u32>().is_err();
    is_name(user) || group.is_some_and(is_name)
}

/// Looks a user up in the files of a base image: `uid:gid` in numbers.
///
/// # Errors
///
/// The word that neither file knows.
pub fn lookup(text: &str, passwd: &str, group_file: &str) -> Result<String, String> {
    let (user, group) = split(text);
    let fields = |file: &'_ str, word: &str| -> Option<Vec<String>> {
        file.lines()
            .map(|line| line.split(':').map(str::to_owned).collect::<Vec<_>>())
            .find(|fields| fields[0] == word && fields.len() > 2)
    };
    let found = fields(passwd, user);
    let uid = match (user.parse::<u32>(), &found) {
        (Ok(uid), _) => uid.to_string(),
        (Err(_), Some(entry)) => entry[2].clone(),
        (Err(_), None) if user == "root" => "0".to_owned(),
        (Err(_), None) => return Err(user.to_owned()),
    };
    let gid = match group {
        Some(group) => match (group.parse::<u32>(), fields(group_file, group)) {
            (Ok(gid), _) => gid.to_string(),
            (Err(_), Some(entry)) => entry[2].clone(),
            (Err(_), None) if group == "root" => "0".to_owned(),
            (Err(_), None) => return Err(group.to_owned()),
        },
        None => found
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
        assert_eq!(numbers("1000"), "1000:1000");
        assert_eq!(numbers("1000:50"), "1000:50");
        assert_eq!(numbers("app:root"), "65532:0");
        assert_eq!(ScratchUser::default().numbers(), "65532:65532");
        assert!(
            ScratchUser::parse("app:team")
                .passwd("/h")
                .contains("app:x:65532:65532:app:/h:")
        );
        assert!(
            ScratchUser::parse("app:team")
                .group_file()
                .contains("team:x:65532:")
        );
        assert_eq!(ScratchUser::parse("0").passwd("/h").lines().count(), 1);
    }

    #[test]
    fn names_are_looked_up_in_a_base_image() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\napp:x:1001:1002::/app:/bin/sh\n";
        let group = "root:x:0:\nstaff:x:50:\n";
        let look = |text| lookup(text, passwd, group);
        assert_eq!(look("app").as_deref(), Ok("1001:1002"));
        assert_eq!(look("app:staff").as_deref(), Ok("1001:50"));
        assert_eq!(look("app:7").as_deref(), Ok("1001:7"));
        assert_eq!(look("nobody"), Err("nobody".to_owned()));
        assert_eq!(look("app:nope"), Err("nope".to_owned()));
        assert_eq!(lookup("root", "", "").as_deref(), Ok("0:0"));
        assert!(needs_lookup("app") && needs_lookup("1:app") && !needs_lookup("1:2"));
    }
}
