//! What a company's servers ask for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// A user, and a token for git in the place of user and password.
#[derive(Deserialize)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) token: String,
}

impl Login {
    /// A netrc file with this login for hosts.
    pub(crate) fn netrc(&self, hosts: &[&str]) -> String {
        let (user, password) = (&self.user, &self.password);
        hosts
            .iter()
            .map(|host| format!("machine {host}\nlogin {user}\npassword {password}\n"))
            .collect()
    }

    /// What must be found nowhere, also as it goes over the wire.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let login = format!("{}:{}", self.user, self.password);
        let token = format!("x-access-token:{}", self.token);
        vec![
            self.password.clone(),
            self.token.clone(),
            STANDARD.encode(login),
            STANDARD.encode(token),
        ]
    }
}
