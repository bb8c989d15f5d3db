//! What was collected of campaigns is recorded like everything else, and may outlive its run; and records are compacted by one
//! at a time.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DbBackend};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use super::m008_records::{self, Key, Recorded, marks_of, triggers};
use crate::catalog::entity::{campaign, collection, compaction};

/// The step.
pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m010_collections_recorded"
    }
}

const COLLECTIONS: Recorded = ("collections", "collection", &[Key::Plain("id")]);

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        without_run(manager).await?;
        let connection = manager.get_connection();
        let backend = connection.get_database_backend();
        for sql in triggers(backend, COLLECTIONS) {
            connection.execute_unprepared(&sql).await?;
        }
        connection.execute_unprepared(&marks_of(backend, COLLECTIONS)).await?;
        use compaction::Column as C;
        let table = Table::create()
            .table(compaction::Entity)
            .col(integer(C::Id).primary_key())
            .col(uuid_null(C::Holder))
            .col(timestamp_with_time_zone_null(C::LeasedUntil))
            .to_owned();
        manager.create_table(table).await?;
        let row = compaction::ActiveModel { id: Set(1), holder: Set(None), leased_until: Set(None) };
        row.insert(connection).await.map(drop)
    }
}

/// Runs are in no record, so a catalog that is rebuilt has collections whose runs it does not know. SQLite lets go of a foreign
/// key with its table only.
async fn without_run(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    if connection.get_database_backend() != DbBackend::Sqlite {
        let sql = "ALTER TABLE collections DROP CONSTRAINT collections_run_id_fkey";
        return connection.execute_unprepared(sql).await.map(drop);
    }
    use collection::Column as C;
    connection.execute_unprepared("ALTER TABLE collections RENAME TO collections_of_runs").await?;
    manager
        .create_table(
            Table::create()
                .table(collection::Entity)
                .col(big_pk_auto(C::Id))
                .col(uuid(C::RunId).unique_key())
                .col(uuid(C::CampaignId))
                .col(timestamp_with_time_zone(C::IntervalStart))
                .col(timestamp_with_time_zone(C::IntervalEnd))
                .col(big_integer(C::Chosen))
                .col(big_integer(C::Labelled))
                .col(big_integer(C::NotFood))
                .col(big_integer(C::Unreadable))
                .col(timestamp_with_time_zone(C::CollectedAt))
                .foreign_key(
                    ForeignKey::create()
                        .from(collection::Entity, C::CampaignId)
                        .to(campaign::Entity, campaign::Column::Id),
                )
                .to_owned(),
        )
        .await?;
    let columns =
        "id, run_id, campaign_id, interval_start, interval_end, chosen, labelled, not_food, unreadable, collected_at";
    for sql in [
        format!("INSERT INTO collections ({columns}) SELECT {columns} FROM collections_of_runs"),
        "DROP TABLE collections_of_runs".to_owned(),
        "CREATE INDEX collections_by_campaign ON collections (campaign_id, id)".to_owned(),
    ] {
        connection.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// Marks every row of every table that is recorded.
pub(in crate::catalog) fn marks_of_everything(backend: DbBackend) -> Vec<String> {
    let mut marks = m008_records::marks_of_everything(backend);
    marks.push(marks_of(backend, COLLECTIONS));
    marks
}
