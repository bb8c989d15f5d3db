//! One-time links that sign an operator in.

use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter};

use crate::catalog::{
    Catalog, CatalogError,
    entity::operator_link::{self, Column},
    now,
};

/// How long a link works.
pub const OPERATOR_LINK_LIFETIME: Duration = Duration::from_secs(15 * 60);

impl Catalog {
    /// Makes the link whose token has this SHA-256 work, once, for [`OPERATOR_LINK_LIFETIME`].
    pub async fn add_operator_link(&self, token_sha256: String) -> Result<(), CatalogError> {
        let lifetime = TimeDelta::from_std(OPERATOR_LINK_LIFETIME).unwrap_or_default();
        let row = operator_link::Model { token_sha256, expires_at: now() + lifetime };
        row.into_active_model().insert(&self.write).await?;
        Ok(())
    }

    pub(super) async fn remove_old_operator_links(&self) -> Result<u64, CatalogError> {
        let old = operator_link::Entity::delete_many().filter(Column::ExpiresAt.lte(now()));
        Ok(old.exec(&self.write).await?.rows_affected)
    }
}

/// Whether the link works; from now on it does not. Of two who try at once, one deletes the row.
pub(super) async fn use_up(transaction: &DatabaseTransaction, token_sha256: &str) -> Result<bool, CatalogError> {
    let used = operator_link::Entity::delete_many()
        .filter(Column::TokenSha256.eq(token_sha256))
        .filter(Column::ExpiresAt.gt(now()))
        .exec(transaction)
        .await?;
    Ok(used.rows_affected == 1)
}
