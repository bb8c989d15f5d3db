//! The tasks of a campaign, as operators and programs read them.

use std::collections::HashMap;

use gourmetgram_api::{CampaignName, Cursor, PhotoStratum, TaskPage, TaskQuery, TaskRecord};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, prelude::Uuid};

use super::{
    Catalog, CatalogError,
    entity::{
        selection,
        task::{self, Column},
    },
    listing::{DEFAULT_PAGE, MAX_PAGE},
};

impl Catalog {
    /// A page of a campaign's tasks, with what was frozen when their photos were chosen.
    ///
    /// # Errors
    /// [`CatalogError::NoCampaign`], [`CatalogError::BadCursor`].
    pub async fn tasks(&self, campaign: Uuid, query: &TaskQuery) -> Result<TaskPage, CatalogError> {
        if self.campaign(&CampaignName::Id(campaign)).await?.is_none() {
            return Err(CatalogError::NoCampaign);
        }
        let limit = usize::from(query.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE));
        let of_campaign = task::Entity::find().filter(Column::CampaignId.eq(campaign));
        let mut select = of_campaign.order_by_asc(Column::Id).limit(limit as u64 + 1);
        if let Some(Cursor(cursor)) = &query.cursor {
            let last: Uuid = cursor.parse().map_err(|_| {
                CatalogError::BadCursor("cursor is not one of ours: take next_cursor of the page before")
            })?;
            select = select.filter(Column::Id.gt(last));
        }
        match query.closed {
            Some(true) => select = select.filter(Column::ClosedAt.is_not_null()),
            Some(false) => select = select.filter(Column::ClosedAt.is_null()),
            None => {}
        }
        let mut rows = select.all(&self.read).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|last| Cursor(last.id.to_string()));
        let frozen = selection::Entity::find()
            .filter(selection::Column::CampaignId.eq(campaign))
            .filter(selection::Column::PredictionId.is_in(rows.iter().map(|row| row.prediction_id)));
        let frozen: HashMap<Uuid, selection::Model> =
            frozen.all(&self.read).await?.into_iter().map(|row| (row.prediction_id, row)).collect();
        let items = rows.into_iter().map(|row| to_record(&frozen, row)).collect::<Result<_, _>>()?;
        Ok(TaskPage { items, next_cursor })
    }
}

fn to_record(frozen: &HashMap<Uuid, selection::Model>, row: task::Model) -> Result<TaskRecord, CatalogError> {
    let corrupt = |what: &str| CatalogError::Corrupt(format!("task {}: {what}", row.id));
    let selection = frozen.get(&row.prediction_id).ok_or_else(|| corrupt("its photo was never considered"))?;
    let stratum = usize::try_from(selection.stratum).ok().and_then(|index| PhotoStratum::ALL.get(index).copied());
    let people = |number: i32, what: &str| u32::try_from(number).map_err(|_| corrupt(what));
    let seen = row.resolved.clone().map(serde_json::from_value).transpose();
    Ok(TaskRecord {
        id: row.id,
        prediction: row.prediction_id.try_into().map_err(|_| corrupt("prediction_id"))?,
        batch: row.batch_id,
        stratum: stratum.ok_or_else(|| corrupt("stratum"))?,
        inclusion: selection.inclusion,
        wanted: people(row.wanted, "wanted")?,
        given: people(row.given, "given")?,
        seen: seen.map_err(|error| corrupt(&format!("resolved: {error}")))?,
        closed_at: row.closed_at,
        label_studio_task: row.remote_id,
    })
}
