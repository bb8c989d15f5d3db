//! Bearer tokens of operators and machine clients.

use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};

use super::{Catalog, CatalogError, entity::access_token, is_unique_violation, now};

/// What a token's bearer may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Operator,
}

impl Role {
    /// The role as the catalog stores it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
        }
    }
}

impl Catalog {
    /// Stores a token's hash under a name. Answers `false` when the name is taken; nothing is changed then.
    pub async fn add_token(&self, name: &str, role: Role, token_sha256: String) -> Result<bool, CatalogError> {
        let row = access_token::Model {
            token_sha256,
            name: name.to_owned(),
            role: role.as_str().to_owned(),
            created_at: now(),
        };
        match row.into_active_model().insert(&self.write).await {
            Ok(_) => Ok(true),
            Err(error) if is_unique_violation(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The role of the token with this hash, if there is one.
    pub async fn token_role(&self, token_sha256: &str) -> Result<Option<Role>, CatalogError> {
        let row = access_token::Entity::find_by_id(token_sha256).one(&self.read).await?;
        match row {
            None => Ok(None),
            Some(row) if row.role == Role::Operator.as_str() => Ok(Some(Role::Operator)),
            Some(row) => {
                Err(CatalogError::Corrupt(format!("access token of {} has the role {:?}", row.name, row.role)))
            }
        }
    }
}
