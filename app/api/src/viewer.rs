//! Who looks at a page.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What somebody may do. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Uploads photos; sees, judges and erases only those.
    #[default]
    Visitor,
    /// Labels the photos of campaigns.
    Annotator,
    /// Runs the service: sees and does everything.
    Operator,
}

/// A word that is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: use visitor, annotator or operator")]
pub struct UnknownRole(pub String);

impl Role {
    /// The role as it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Annotator => "annotator",
            Self::Operator => "operator",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Visitor, Self::Annotator, Self::Operator]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Who looks at a page: decides what it offers, never what the server allows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    /// What they may do.
    pub role: Role,
    /// The account they are signed in to; visitors have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
