//! One change of many predictions, in one commit.

use std::collections::HashMap;

use gourmetgram_api::{FlagOutcome, FlagReason, FlagResult, WantedFlag};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{
    Actor, Catalog, CatalogError,
    entity::{
        feedback,
        prediction::{self, Column},
    },
    now,
};

impl Catalog {
    /// Gives each prediction the flag it is to have. Those that have it already, are erased or unknown are left as
    /// they are, and said so; a failure of the database leaves all as they are.
    pub async fn set_flags(&self, wanted: &[WantedFlag], actor: Actor) -> Result<Vec<FlagOutcome>, CatalogError> {
        let transaction = self.begin().await?;
        // Locked in one order, so that two requests for the same photos take turns.
        let rows = prediction::Entity::find()
            .filter(Column::Id.is_in(wanted.iter().map(|flag| flag.id.as_uuid())))
            .order_by_asc(Column::Id)
            .lock_exclusive()
            .all(&transaction)
            .await?;
        let rows: HashMap<Uuid, prediction::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
        let outcomes: Vec<FlagOutcome> =
            wanted.iter().map(|flag| outcome(*flag, rows.get(&flag.id.as_uuid()))).collect::<Result<_, _>>()?;
        let changed: Vec<WantedFlag> = wanted
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| outcome.result == FlagResult::Changed)
            .map(|(flag, _)| *flag)
            .collect();
        if changed.is_empty() {
            transaction.rollback().await?;
            return Ok(outcomes);
        }
        for reason in FlagReason::ALL.map(Some).into_iter().chain([None]) {
            let ids: Vec<Uuid> =
                changed.iter().filter(|flag| flag.reason == reason).map(|flag| flag.id.as_uuid()).collect();
            if ids.is_empty() {
                continue;
            }
            let flag = reason.map(|reason| reason.as_str().to_owned());
            prediction::Entity::update_many()
                .set(prediction::ActiveModel { flag: Set(flag), ..Default::default() })
                .filter(Column::Id.is_in(ids))
                .exec(&transaction)
                .await?;
        }
        let at = now();
        let steps = changed.iter().map(|flag| feedback::ActiveModel {
            prediction_id: Set(flag.id.as_uuid()),
            kind: Set(if flag.reason.is_some() { "flagged" } else { "unflagged" }.to_owned()),
            value: Set(flag.reason.map(|reason| reason.as_str().to_owned())),
            actor: Set(actor.as_str().to_owned()),
            at: Set(at),
            ..Default::default()
        });
        feedback::Entity::insert_many(steps).exec_without_returning(&transaction).await?;
        let mut ids: Vec<Uuid> = changed.iter().map(|flag| flag.id.as_uuid()).collect();
        ids.sort_unstable();
        super::outbox::enqueue_many(&transaction, ids.into_iter()).await?;
        transaction.commit().await?;
        Ok(outcomes)
    }
}

fn outcome(flag: WantedFlag, row: Option<&prediction::Model>) -> Result<FlagOutcome, CatalogError> {
    let answer = |result, before| FlagOutcome { id: flag.id, result, before };
    let Some(row) = row else { return Ok(answer(FlagResult::NotFound, None)) };
    if row.erased_at.is_some() {
        return Ok(answer(FlagResult::Erased, None));
    }
    let before: Option<FlagReason> = row
        .flag
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|_| CatalogError::Corrupt(format!("prediction {}: flag", row.id)))?;
    Ok(answer(if before == flag.reason { FlagResult::Unchanged } else { FlagResult::Changed }, before))
}
