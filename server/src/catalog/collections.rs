//! Collecting: what of a campaign has been labelled, and which photos are still on their way to where their labels say.

use chrono::TimeDelta;
use gourmetgram_api::{Campaign, CampaignProgress, Interval, LabelledIn, Seen};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};
use uuid::Uuid;

use super::{
    Catalog, CatalogError, campaigns,
    entity::{campaign, collection, outbox, task},
    now,
    selections::CopiesUnderWay,
};

/// How long labels of an archived campaign are looked after when all are there.
const LATE_CHANGES: TimeDelta = TimeDelta::days(30);

/// How much of a campaign is labelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tasks, without those of erased photos.
    pub chosen: u64,
    /// Tasks that have all their labels.
    pub labelled: u64,
    /// Of these, how many are "not food",
    pub not_food: u64,
    /// and how many "unreadable".
    pub unreadable: u64,
}

impl Catalog {
    /// The campaigns from which labels may come: those that have tasks. Of archived ones that are all labelled those in Label
    /// Studio, where people may still change what they said, for a month after they were archived.
    pub async fn campaigns_to_collect(&self) -> Result<Vec<Campaign>, CatalogError> {
        let task_of_it = || {
            Query::select()
                .expr(Expr::val(1))
                .from(task::Entity)
                .and_where(
                    Expr::col((task::Entity, task::Column::CampaignId))
                        .equals((campaign::Entity, campaign::Column::Id)),
                )
                .to_owned()
        };
        let open = task_of_it().and_where(Expr::col((task::Entity, task::Column::ClosedAt)).is_null()).to_owned();
        let rows = campaign::Entity::find()
            .filter(Expr::exists(task_of_it()))
            .filter(
                Condition::any().add(campaign::Column::ArchivedAt.is_null()).add(Expr::exists(open)).add(
                    Condition::all()
                        .add(campaign::Column::LabelledIn.eq(LabelledIn::LabelStudio.as_str()))
                        .add(campaign::Column::ArchivedAt.gt(now() - LATE_CHANGES)),
                ),
            )
            .order_by_asc(campaign::Column::Id)
            .all(&self.read)
            .await?;
        rows.into_iter().map(|row| campaigns::to_api(row, CampaignProgress::default())).collect()
    }

    /// How much of a campaign is labelled now.
    pub async fn tally(&self, campaign: Uuid) -> Result<Tally, CatalogError> {
        let mut tally = Tally::default();
        // A withdrawn task is closed without an answer.
        let rows: Vec<(bool, Option<serde_json::Value>)> = task::Entity::find()
            .select_only()
            .expr_as(Expr::col(task::Column::ClosedAt).is_not_null(), "closed")
            .column(task::Column::Resolved)
            .filter(task::Column::CampaignId.eq(campaign))
            .into_tuple()
            .all(&self.read)
            .await?;
        for (closed, resolved) in rows {
            let seen = resolved.map(serde_json::from_value::<Seen>).transpose();
            let seen =
                seen.map_err(|error| CatalogError::Corrupt(format!("campaign {campaign}: resolved: {error}")))?;
            match (closed, seen) {
                (true, None) => continue,
                (false, _) => {}
                (true, Some(seen)) => {
                    tally.labelled += 1;
                    match seen {
                        Seen::Class { .. } => {}
                        Seen::NotFood => tally.not_food += 1,
                        Seen::Unreadable => tally.unreadable += 1,
                    }
                }
            }
            tally.chosen += 1;
        }
        Ok(tally)
    }

    /// Writes what a run has collected; once more, it takes the place of what the run wrote before.
    pub async fn record_collection(
        &self,
        run: Uuid,
        campaign: Uuid,
        interval: Interval,
        tally: Tally,
    ) -> Result<(), CatalogError> {
        use collection::Column as C;
        let count = |number: u64| Set(i64::try_from(number).unwrap_or(i64::MAX));
        let row = collection::ActiveModel {
            run_id: Set(run),
            campaign_id: Set(campaign),
            interval_start: Set(interval.start),
            interval_end: Set(interval.end),
            chosen: count(tally.chosen),
            labelled: count(tally.labelled),
            not_food: count(tally.not_food),
            unreadable: count(tally.unreadable),
            collected_at: Set(now()),
            ..Default::default()
        };
        let again = OnConflict::column(C::RunId)
            .update_columns([C::Chosen, C::Labelled, C::NotFood, C::Unreadable, C::CollectedAt])
            .to_owned();
        collection::Entity::insert(row).on_conflict(again).exec_without_returning(&self.write).await?;
        Ok(())
    }

    /// What was collected of a campaign, the newest first.
    pub async fn collections(&self, campaign: Uuid, most: u64) -> Result<Vec<collection::Model>, CatalogError> {
        Ok(collection::Entity::find()
            .filter(collection::Column::CampaignId.eq(campaign))
            .order_by_desc(collection::Column::Id)
            .limit(most)
            .all(&self.read)
            .await?)
    }

    /// Photos of a campaign's tasks whose copies are not yet as they are to be; failing are those that the outbox has
    /// tried `patience` times or more.
    pub async fn moves_under_way(&self, campaign: Uuid, patience: i32) -> Result<CopiesUnderWay, CatalogError> {
        let photos = Query::select()
            .column(task::Column::PredictionId)
            .from(task::Entity)
            .and_where(task::Column::CampaignId.eq(campaign))
            .to_owned();
        let waiting = outbox::Entity::find()
            .filter(outbox::Column::ErasePasses.eq(0))
            .filter(outbox::Column::PredictionId.in_subquery(photos));
        let failing = waiting.clone().filter(outbox::Column::Attempts.gte(patience));
        let first = failing.clone().order_by_asc(outbox::Column::PredictionId).limit(1).one(&self.read).await?;
        Ok(CopiesUnderWay {
            waiting: waiting.count(&self.read).await?,
            failing: failing.count(&self.read).await?,
            error: first.and_then(|row| row.last_error),
        })
    }
}
