//! People who sign in, their sessions, one-time operator links, and what machines' tokens may do.
//!
//! Tokens made before this step were operators' tokens: they may go on doing everything.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::catalog::entity::{access_token, operator_link, session, user};

/// The step.
pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m002_accounts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use user::Column as U;
        manager
            .create_table(
                Table::create()
                    .table(user::Entity)
                    .col(uuid(U::Id).primary_key())
                    .col(string(U::Name))
                    .col(string(U::NameKey).unique_key())
                    .col(string(U::Role))
                    .col(string(U::PasswordHash))
                    .col(timestamp_with_time_zone(U::CreatedAt))
                    .col(timestamp_with_time_zone_null(U::DisabledAt))
                    .to_owned(),
            )
            .await?;

        use session::Column as S;
        manager
            .create_table(
                Table::create()
                    .table(session::Entity)
                    .col(string(S::TokenSha256).primary_key())
                    .col(uuid_null(S::UserId))
                    .col(timestamp_with_time_zone(S::CreatedAt))
                    .col(timestamp_with_time_zone(S::LastSeenAt))
                    .col(timestamp_with_time_zone(S::ExpiresAt))
                    .foreign_key(ForeignKey::create().from(session::Entity, S::UserId).to(user::Entity, U::Id))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(Index::create().name("sessions_by_user").table(session::Entity).col(S::UserId).to_owned())
            .await?;

        use operator_link::Column as L;
        manager
            .create_table(
                Table::create()
                    .table(operator_link::Entity)
                    .col(string(L::TokenSha256).primary_key())
                    .col(timestamp_with_time_zone(L::ExpiresAt))
                    .to_owned(),
            )
            .await?;

        // One change a statement: SQLite takes no more.
        use access_token::Column as T;
        let changed = || Table::alter().table(access_token::Entity).to_owned();
        manager.alter_table(changed().add_column(string(T::Scopes).default("")).to_owned()).await?;
        manager.alter_table(changed().add_column(timestamp_with_time_zone_null(T::ExpiresAt)).to_owned()).await?;
        let mut everything = Query::update();
        everything
            .table(access_token::Entity)
            .value(T::Scopes, "admin")
            .and_where(Expr::col(Alias::new("role")).eq("operator"));
        manager.execute(everything).await?;
        manager.alter_table(changed().drop_column(Alias::new("role")).to_owned()).await
    }
}
