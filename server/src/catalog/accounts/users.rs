//! Accounts of people.

use gourmetgram_api::Role;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder,
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::{
    accounts::AccountName,
    catalog::{
        Catalog, CatalogError,
        entity::{session, user},
        is_unique_violation, now,
    },
};

impl user::Model {
    /// What the account may do.
    pub fn role(&self) -> Result<Role, CatalogError> {
        self.role.parse().map_err(|error| CatalogError::Corrupt(format!("account {}: {error}", self.name)))
    }
}

impl Catalog {
    /// Makes an account. Answers `None` when the name is taken, in whatever case; nothing is changed then.
    pub async fn add_user(
        &self,
        name: &AccountName,
        role: Role,
        password_hash: &SecretString,
    ) -> Result<Option<user::Model>, CatalogError> {
        let row = user::Model {
            id: Uuid::now_v7(),
            name: name.as_str().to_owned(),
            name_key: name.key(),
            role: role.as_str().to_owned(),
            password_hash: password_hash.expose_secret().to_owned(),
            created_at: now(),
            disabled_at: None,
        };
        match row.clone().into_active_model().insert(&self.write).await {
            Ok(_) => Ok(Some(row)),
            Err(error) if is_unique_violation(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The account of this name, in whatever case; disabled ones too.
    pub async fn user(&self, name: &AccountName) -> Result<Option<user::Model>, CatalogError> {
        Ok(user::Entity::find().filter(user::Column::NameKey.eq(name.key())).one(&self.read).await?)
    }

    /// The account of this id; disabled ones too.
    pub async fn user_by_id(&self, id: Uuid) -> Result<Option<user::Model>, CatalogError> {
        Ok(user::Entity::find_by_id(id).one(&self.read).await?)
    }

    /// Every account, by name.
    pub async fn users(&self) -> Result<Vec<user::Model>, CatalogError> {
        Ok(user::Entity::find().order_by_asc(user::Column::NameKey).all(&self.read).await?)
    }

    /// Gives an account another password, and ends every session it has.
    pub async fn set_password(&self, user: Uuid, password_hash: &SecretString) -> Result<(), CatalogError> {
        let changed =
            user::ActiveModel { password_hash: Set(password_hash.expose_secret().to_owned()), ..Default::default() };
        self.change_and_sign_out(user, changed).await
    }

    /// Keeps an account from signing in, and ends every session it has; or lets it in again.
    pub async fn set_disabled(&self, user: Uuid, disabled: bool) -> Result<(), CatalogError> {
        let changed = user::ActiveModel { disabled_at: Set(disabled.then(now)), ..Default::default() };
        self.change_and_sign_out(user, changed).await
    }

    /// Whether somebody can run the service already: there is an account, or a token that may do everything.
    pub async fn has_owner(&self) -> Result<bool, CatalogError> {
        if user::Entity::find().count(&self.read).await? > 0 {
            return Ok(true);
        }
        Ok(self.access_tokens().await?.iter().any(|token| token.scopes.are_everything()))
    }

    async fn change_and_sign_out(&self, user: Uuid, changed: user::ActiveModel) -> Result<(), CatalogError> {
        let transaction = self.begin().await?;
        user::Entity::update_many().set(changed).filter(user::Column::Id.eq(user)).exec(&transaction).await?;
        session::Entity::delete_many().filter(session::Column::UserId.eq(user)).exec(&transaction).await?;
        Ok(transaction.commit().await?)
    }
}
