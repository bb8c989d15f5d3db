//! What was collected of campaigns, and indexes for finding runs in trouble and the end of schedules.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::catalog::entity::{campaign, collection, run};

/// The step.
pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m007_collections"
    }
}

/// Written the same way on both databases.
const INDEXES: [&str; 3] = [
    "CREATE INDEX collections_by_campaign ON collections (campaign_id, id)",
    "CREATE INDEX runs_in_trouble ON runs (subject, pipeline) WHERE error IS NOT NULL",
    // Each server asks every other second up to where a schedule was followed.
    "CREATE INDEX runs_by_schedule ON runs (pipeline, subject, cause, interval_end)",
];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use collection::Column as C;
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
                        ForeignKey::create().from(collection::Entity, C::RunId).to(run::Entity, run::Column::Id),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from(collection::Entity, C::CampaignId)
                            .to(campaign::Entity, campaign::Column::Id),
                    )
                    .to_owned(),
            )
            .await?;
        for sql in INDEXES {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }
}
