//! Simulated predictions say where they come from.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::catalog::entity::prediction::{Column, Entity};

/// The step.
pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m004_replay"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table(Entity).add_column(string_null(Column::Source)).to_owned()).await?;
        manager
            .create_index(
                Index::create()
                    .name("predictions_by_source")
                    .table(Entity)
                    .col(Column::Source)
                    .col(Column::CreatedAt)
                    .col(Column::Id)
                    .to_owned(),
            )
            .await
    }
}
