//! Who labels.

use serde::Deserialize;

use crate::{LabelStudio, LabelStudioError, UserId, call::Call};

/// A user of Label Studio.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    /// Names them.
    pub id: UserId,
    /// Their address, by which people know them.
    pub email: String,
}

impl LabelStudio {
    /// Whether Label Studio is there and takes our token: the user the token belongs to.
    ///
    /// # Errors
    /// [`LabelStudioError`], as every call.
    pub async fn whoami(&self) -> Result<User, LabelStudioError> {
        self.ask(Call::get("learn who we are", "api/current-user/whoami")).await
    }

    /// Everybody.
    ///
    /// # Errors
    /// [`LabelStudioError`], as every call.
    pub async fn users(&self) -> Result<Vec<User>, LabelStudioError> {
        self.ask(Call::get("list its users", "api/users/")).await
    }

    /// Its version, for example `1.23.2`.
    ///
    /// # Errors
    /// [`LabelStudioError`], as every call.
    pub async fn version(&self) -> Result<String, LabelStudioError> {
        #[derive(Deserialize)]
        struct Version {
            release: String,
        }
        let version: Version = self.ask(Call::get("learn its version", "api/version")).await?;
        Ok(version.release)
    }
}
