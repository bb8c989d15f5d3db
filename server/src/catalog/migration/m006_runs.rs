//! Runs of pipelines, their steps and what they said.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::catalog::entity::{run, run_log, run_step};

/// The step.
pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m006_runs"
    }
}

/// Partial indexes are written the same way on both databases. The first is the promise that an interval has one run.
const INDEXES: [&str; 5] = [
    "CREATE UNIQUE INDEX one_run ON runs (pipeline, subject, interval_start, interval_end) WHERE NOT dry_run",
    "CREATE INDEX runs_to_do ON runs (due_at) WHERE state IN ('waiting', 'running')",
    "CREATE INDEX runs_by_time ON runs (created_at, id)",
    "CREATE INDEX runs_of_pipeline ON runs (pipeline, created_at, id)",
    "CREATE INDEX log_of_run ON run_log (run_id, id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use run::Column as R;
        manager
            .create_table(
                Table::create()
                    .table(run::Entity)
                    .col(uuid(R::Id).primary_key())
                    .col(string(R::Pipeline))
                    .col(string(R::Subject))
                    .col(timestamp_with_time_zone(R::IntervalStart))
                    .col(timestamp_with_time_zone(R::IntervalEnd))
                    .col(string(R::Cause))
                    .col(boolean(R::DryRun))
                    .col(string(R::State))
                    .col(integer(R::Attempts))
                    .col(timestamp_with_time_zone(R::DueAt))
                    .col(uuid_null(R::Lease))
                    .col(uuid_null(R::LeasedBy))
                    .col(timestamp_with_time_zone_null(R::LeasedUntil))
                    .col(timestamp_with_time_zone(R::CreatedAt))
                    .col(timestamp_with_time_zone_null(R::StartedAt))
                    .col(timestamp_with_time_zone_null(R::EndedAt))
                    .col(json(R::Counts))
                    .col(string_null(R::Error))
                    .to_owned(),
            )
            .await?;
        use run_step::Column as S;
        manager
            .create_table(
                Table::create()
                    .table(run_step::Entity)
                    .col(uuid(S::RunId))
                    .col(integer(S::Position))
                    .col(string(S::Name))
                    .col(string(S::State))
                    .col(timestamp_with_time_zone_null(S::StartedAt))
                    .col(timestamp_with_time_zone_null(S::EndedAt))
                    .col(json(S::Counts))
                    .primary_key(Index::create().col(S::RunId).col(S::Position))
                    .foreign_key(ForeignKey::create().from(run_step::Entity, S::RunId).to(run::Entity, R::Id))
                    .to_owned(),
            )
            .await?;
        use run_log::Column as L;
        manager
            .create_table(
                Table::create()
                    .table(run_log::Entity)
                    .col(big_pk_auto(L::Id))
                    .col(uuid(L::RunId))
                    .col(timestamp_with_time_zone(L::At))
                    .col(string(L::Level))
                    .col(string(L::Text))
                    .foreign_key(ForeignKey::create().from(run_log::Entity, L::RunId).to(run::Entity, R::Id))
                    .to_owned(),
            )
            .await?;
        for sql in INDEXES {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
