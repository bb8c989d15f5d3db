//! Bearer tokens of machine clients.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use crate::{
    accounts::Scopes,
    catalog::{
        Catalog, CatalogError,
        entity::access_token::{self, Column},
        is_unique_violation, now,
    },
};

/// A machine's token, without the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// A name to know it by.
    pub name: String,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working; `None`: never.
    pub expires_at: Option<DateTime<Utc>>,
}

impl AccessToken {
    /// Whether it has stopped working.
    pub fn is_expired(&self) -> bool {
        self.expires_at.is_some_and(|end| end <= now())
    }
}

impl From<access_token::Model> for AccessToken {
    fn from(row: access_token::Model) -> Self {
        Self {
            name: row.name,
            // A word that this version does not know allows nothing here.
            scopes: Scopes::read_known(&row.scopes),
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}

impl Catalog {
    /// Stores a token's hash under a name. Answers `false` when the name is taken; nothing is changed then.
    pub async fn add_access_token(
        &self,
        name: &str,
        scopes: &Scopes,
        token_sha256: String,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<bool, CatalogError> {
        let row = access_token::Model {
            token_sha256,
            name: name.to_owned(),
            scopes: scopes.to_string(),
            created_at: now(),
            expires_at,
        };
        match row.into_active_model().insert(&self.write).await {
            Ok(_) => Ok(true),
            Err(error) if is_unique_violation(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The token with this hash, if there is one that works.
    pub async fn access_token(&self, token_sha256: &str) -> Result<Option<AccessToken>, CatalogError> {
        let row = access_token::Entity::find_by_id(token_sha256).one(&self.read).await?;
        Ok(row.map(AccessToken::from).filter(|token| !token.is_expired()))
    }

    /// Every token, by name; those that have expired too.
    pub async fn access_tokens(&self) -> Result<Vec<AccessToken>, CatalogError> {
        let rows = access_token::Entity::find().order_by_asc(Column::Name).all(&self.read).await?;
        Ok(rows.into_iter().map(AccessToken::from).collect())
    }

    /// Makes a token work no more. Answers `false` where none has this name.
    pub async fn revoke_access_token(&self, name: &str) -> Result<bool, CatalogError> {
        let revoked = access_token::Entity::delete_many().filter(Column::Name.eq(name)).exec(&self.write).await?;
        Ok(revoked.rows_affected > 0)
    }
}
