//! How often a run was taken over from a server that fell silent: that is no failure of the run.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::catalog::entity::run;

/// The step.
pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m012_takeovers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Servers of the version before go on adding runs without it.
        let column = integer(run::Column::Takeovers).default(0).to_owned();
        manager.alter_table(Table::alter().table(run::Entity).add_column(column).to_owned()).await
    }
}
