//! Campaigns, what they chose, and what people said about it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::catalog::entity::{annotation, batch, campaign, lease, placement, prediction, selection, skip, task};

/// The step.
pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m005_labelling"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        campaigns(manager).await?;
        tasks(manager).await?;
        annotations(manager).await?;
        for (name, table, columns, condition) in INDEXES {
            let sql = format!("CREATE INDEX {name} ON {table} ({columns}){condition}");
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}

/// Name, table, columns, condition: written the same way on both databases.
const INDEXES: [(&str, &str, &str, &str); 10] = [
    ("batches_by_campaign", "batches", "campaign_id, interval_start", ""),
    ("selections_by_prediction", "selections", "prediction_id", ""),
    ("selections_by_batch", "selections", "batch_id", ""),
    ("tasks_by_prediction", "tasks", "prediction_id", ""),
    ("open_tasks", "tasks", "campaign_id, position", " WHERE closed_at IS NULL"),
    ("tasks_by_campaign", "tasks", "campaign_id, closed_at", ""),
    ("annotations_by_task", "annotations", "task_id", ""),
    ("annotations_by_annotator", "annotations", "annotator, id", ""),
    ("leases_by_annotator", "task_leases", "annotator, until", ""),
    ("placements_by_prediction", "placements", "prediction_id", ""),
];

async fn campaigns(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use campaign::Column as C;
    manager
        .create_table(
            Table::create()
                .table(campaign::Entity)
                .col(uuid(C::Id).primary_key())
                .col(string(C::Name).unique_key())
                .col(json(C::Rule))
                .col(boolean(C::Blind))
                .col(string(C::LabelledIn))
                .col(double(C::DoubleShare))
                .col(timestamp_with_time_zone_null(C::StartsAt))
                .col(timestamp_with_time_zone_null(C::EndsAt))
                .col(big_integer(C::Seed))
                .col(string_null(C::Schedule))
                .col(big_integer_null(C::Project))
                .col(timestamp_with_time_zone(C::CreatedAt))
                .col(timestamp_with_time_zone_null(C::ArchivedAt))
                .to_owned(),
        )
        .await?;
    use batch::Column as B;
    manager
        .create_table(
            Table::create()
                .table(batch::Entity)
                .col(big_pk_auto(B::Id))
                .col(uuid(B::CampaignId))
                .col(timestamp_with_time_zone(B::IntervalStart))
                .col(timestamp_with_time_zone(B::IntervalEnd))
                .col(json(B::Rule))
                .col(big_integer(B::Seed))
                .col(json(B::Sizes))
                .col(json(B::Chosen))
                .col(big_integer(B::Considered))
                .col(timestamp_with_time_zone(B::DrawnAt))
                .foreign_key(ForeignKey::create().from(batch::Entity, B::CampaignId).to(campaign::Entity, C::Id))
                .to_owned(),
        )
        .await?;
    use selection::Column as S;
    manager
        .create_table(
            Table::create()
                .table(selection::Entity)
                .col(uuid(S::CampaignId))
                .col(uuid(S::PredictionId))
                .col(big_integer(S::BatchId))
                .col(integer(S::Stratum))
                .col(double(S::Inclusion))
                .col(big_integer(S::StratumSize))
                .col(boolean(S::Chosen))
                .col(boolean(S::ByRandomSample))
                .col(boolean(S::Confident))
                .col(string_null(S::Flag))
                .col(string_null(S::CorrectedClass))
                .primary_key(Index::create().col(S::CampaignId).col(S::PredictionId))
                .foreign_key(ForeignKey::create().from(selection::Entity, S::BatchId).to(batch::Entity, B::Id))
                .foreign_key(
                    ForeignKey::create()
                        .from(selection::Entity, S::PredictionId)
                        .to(prediction::Entity, prediction::Column::Id),
                )
                .to_owned(),
        )
        .await
}

async fn tasks(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use task::Column as T;
    manager
        .create_table(
            Table::create()
                .table(task::Entity)
                .col(uuid(T::Id).primary_key())
                .col(uuid(T::CampaignId))
                .col(uuid(T::PredictionId))
                .col(big_integer(T::BatchId))
                .col(big_integer(T::Position))
                .col(integer(T::Wanted))
                .col(integer(T::Given).default(0))
                .col(timestamp_with_time_zone_null(T::ClosedAt))
                .col(json_null(T::Resolved))
                .col(big_integer_null(T::RemoteId))
                .col(timestamp_with_time_zone(T::CreatedAt))
                .index(Index::create().unique().name("one_task").col(T::CampaignId).col(T::PredictionId))
                .foreign_key(
                    ForeignKey::create()
                        .from(task::Entity, (T::CampaignId, T::PredictionId))
                        .to(selection::Entity, (selection::Column::CampaignId, selection::Column::PredictionId)),
                )
                .to_owned(),
        )
        .await?;
    use lease::Column as L;
    manager
        .create_table(
            Table::create()
                .table(lease::Entity)
                .col(uuid(L::TaskId))
                .col(string(L::Annotator))
                .col(timestamp_with_time_zone(L::Until))
                .primary_key(Index::create().col(L::TaskId).col(L::Annotator))
                .foreign_key(ForeignKey::create().from(lease::Entity, L::TaskId).to(task::Entity, T::Id))
                .to_owned(),
        )
        .await?;
    use skip::Column as K;
    manager
        .create_table(
            Table::create()
                .table(skip::Entity)
                .col(uuid(K::TaskId))
                .col(string(K::Annotator))
                .col(timestamp_with_time_zone(K::At))
                .primary_key(Index::create().col(K::TaskId).col(K::Annotator))
                .foreign_key(ForeignKey::create().from(skip::Entity, K::TaskId).to(task::Entity, T::Id))
                .to_owned(),
        )
        .await
}

async fn annotations(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use annotation::Column as A;
    manager
        .create_table(
            Table::create()
                .table(annotation::Entity)
                .col(uuid(A::Id).primary_key())
                .col(uuid(A::TaskId))
                .col(string(A::Annotator))
                .col(json(A::Seen))
                .col(string(A::Through))
                .col(boolean(A::Blind))
                .col(big_integer_null(A::TookMs))
                .col(big_integer_null(A::RemoteId))
                .col(timestamp_with_time_zone(A::At))
                .col(timestamp_with_time_zone_null(A::ReplacedAt))
                .foreign_key(
                    ForeignKey::create().from(annotation::Entity, A::TaskId).to(task::Entity, task::Column::Id),
                )
                .to_owned(),
        )
        .await?;
    use placement::Column as P;
    manager
        .create_table(
            Table::create()
                .table(placement::Entity)
                .col(string(P::Bucket))
                .col(string(P::ObjectKey))
                .col(uuid(P::PredictionId))
                .col(timestamp_with_time_zone_null(P::PlacedAt))
                .primary_key(Index::create().col(P::Bucket).col(P::ObjectKey))
                .to_owned(),
        )
        .await
}
