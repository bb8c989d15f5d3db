//! Selecting: a campaign considers the photos of an interval, each once, and freezes what it decides about them.
//!
//! All of it is one transaction. It begins with a lock on the campaign's row, so that two servers take turns; that each
//! photo is considered once is the primary key's word. Then it locks the photos in the order of their ids, as everybody
//! does: nobody erases one of them before its task is there to be withdrawn.

use gourmetgram_api::{
    CampaignPreview, FlagReason, Interval, NewCampaign, PhotoStratum, PredictionId, Selected, StratumCounts,
    Uncertainty,
};
use gourmetgram_evaluation::{ConfidenceLevel, PlannedStratum, Stratum, expected_half_width};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
    prelude::Json,
    sea_query::{Expr, Query},
};
use serde::Deserialize;
use uuid::{Builder, Uuid};

use super::{
    Catalog, CatalogError,
    campaigns::asked,
    entity::{
        batch, campaign, outbox as entity_outbox,
        prediction::{self, Column},
        selection, task,
    },
    now, outbox,
};
use crate::labelling::{Candidate, Draw, Plan};

/// Most photos that are considered at once: what a draw holds in memory, about 100 bytes a photo.
pub const MAX_CONSIDERED: u64 = 1_000_000;
/// Rows that are read and written by one statement: within what SQLite and PostgreSQL take as parameters.
const ROWS: usize = 1000;
/// Photos that a preview names.
const SHOWN: usize = 24;

/// Photos that were selected and are not yet where they are to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiesUnderWay {
    /// All of them.
    pub waiting: u64,
    /// Those that the outbox has tried for long.
    pub failing: u64,
    /// Why one of these failed last.
    pub error: Option<String>,
}

/// A photo as it is considered.
struct Considered {
    candidate: Candidate,
    confidence: f32,
    corrected_class: Option<String>,
}

impl Catalog {
    /// Has a campaign consider the photos of an interval that it has not considered yet. In a dry run it says the same
    /// and changes nothing.
    ///
    /// # Errors
    /// [`CatalogError::NoCampaign`], [`CatalogError::Archived`], [`CatalogError::TooManyPhotos`].
    pub async fn select(&self, id: Uuid, interval: Interval, dry_run: bool) -> Result<Selected, CatalogError> {
        if dry_run {
            let campaign = campaign::Entity::find_by_id(id).one(&self.read).await?;
            let (campaign, plan) = selecting(campaign)?;
            let Some(interval) = interval.within(campaign.starts_at, campaign.ends_at) else {
                return Ok(nothing(None, dry_run));
            };
            let photos = read(&self.read, Some(id), interval, &plan, false).await?;
            let draw = draw_of(&campaign, &plan, &photos)?;
            return Ok(summary(&plan, Some(interval), dry_run, None, &draw));
        }
        let transaction = self.begin().await?;
        let campaign = campaign::Entity::find_by_id(id).lock_exclusive().one(&transaction).await?;
        let (campaign, plan) = selecting(campaign)?;
        let Some(interval) = interval.within(campaign.starts_at, campaign.ends_at) else {
            return Ok(nothing(None, dry_run));
        };
        let photos = read(&transaction, Some(id), interval, &plan, true).await?;
        if photos.is_empty() {
            return Ok(nothing(Some(interval), dry_run));
        }
        let draw = draw_of(&campaign, &plan, &photos)?;
        let batch = freeze(&transaction, &campaign, interval, &photos, &draw).await?;
        transaction.commit().await?;
        Ok(summary(&plan, Some(interval), dry_run, Some(batch), &draw))
    }

    /// Photos that a campaign has considered and chosen in batches of this interval.
    pub async fn selected_within(&self, id: Uuid, interval: Interval) -> Result<(u64, u64), CatalogError> {
        let batches = batch::Entity::find().filter(of_interval(id, interval)).all(&self.read).await?;
        let sum = |counts: &Json| counts.as_array().into_iter().flatten().filter_map(Json::as_u64).sum::<u64>();
        Ok(batches
            .iter()
            .fold((0, 0), |(considered, chosen), batch| (considered + sum(&batch.sizes), chosen + sum(&batch.chosen))))
    }

    /// Photos of those batches whose copies are not yet as they are to be; failing are those that the outbox has tried
    /// `patience` times or more.
    pub async fn copies_under_way(
        &self,
        id: Uuid,
        interval: Interval,
        patience: i32,
    ) -> Result<CopiesUnderWay, CatalogError> {
        let batches = Query::select()
            .column(batch::Column::Id)
            .from(batch::Entity)
            .cond_where(of_interval(id, interval))
            .to_owned();
        let of_batch = Query::select()
            .column(selection::Column::PredictionId)
            .from(selection::Entity)
            .and_where(selection::Column::BatchId.in_subquery(batches))
            .to_owned();
        let waiting = entity_outbox::Entity::find()
            .filter(entity_outbox::Column::ErasePasses.eq(0))
            .filter(entity_outbox::Column::PredictionId.in_subquery(of_batch));
        let failing = waiting.clone().filter(entity_outbox::Column::Attempts.gte(patience));
        let first = failing.clone().order_by_asc(entity_outbox::Column::PredictionId).limit(1).one(&self.read).await?;
        Ok(CopiesUnderWay {
            waiting: waiting.count(&self.read).await?,
            failing: failing.count(&self.read).await?,
            error: first.and_then(|row| row.last_error),
        })
    }

    /// What a campaign that does not exist yet would choose of an interval.
    ///
    /// # Errors
    /// [`CatalogError::TooManyPhotos`]. What was asked for is expected to have passed [`NewCampaign::check`].
    pub async fn preview_campaign(
        &self,
        asked: &NewCampaign,
        interval: Interval,
    ) -> Result<CampaignPreview, CatalogError> {
        let plan = Plan::new(&asked.rule).map_err(|error| CatalogError::Corrupt(error.to_string()))?;
        let Some(interval) = interval.within(asked.starts_at, asked.ends_at) else {
            return Ok(CampaignPreview { selected: nothing(None, true), half_width: None, photos: Vec::new() });
        };
        let photos = read(&self.read, None, interval, &plan, false).await?;
        let draw = plan.draw(asked.seed.unwrap_or_else(rand::random), asked.double_share, &candidates(&photos));
        let mut chosen: Vec<_> = draw.decisions.iter().filter(|decision| decision.chosen).collect();
        chosen.sort_unstable_by_key(|decision| (decision.place, decision.id));
        Ok(CampaignPreview {
            half_width: asked.blind.then(|| half_width(&photos, &draw)).flatten(),
            photos: chosen.iter().filter_map(|it| PredictionId::try_from(it.id).ok()).take(SHOWN).collect(),
            selected: summary(&plan, Some(interval), true, None, &draw),
        })
    }
}

fn of_interval(campaign: Uuid, interval: Interval) -> Condition {
    Condition::all()
        .add(batch::Column::CampaignId.eq(campaign))
        .add(batch::Column::IntervalStart.gte(interval.start))
        .add(batch::Column::IntervalEnd.lte(interval.end))
}

fn selecting(row: Option<campaign::Model>) -> Result<(campaign::Model, Plan), CatalogError> {
    let row = row.ok_or(CatalogError::NoCampaign)?;
    if row.archived_at.is_some() {
        return Err(CatalogError::Archived(row.name));
    }
    let plan = Plan::new(&asked(&row)?.rule);
    let plan = plan.map_err(|error| CatalogError::Corrupt(format!("campaign {}: {error}", row.id)))?;
    Ok((row, plan))
}

fn candidates(photos: &[Considered]) -> Vec<Candidate> {
    photos.iter().map(|photo| photo.candidate).collect()
}

fn draw_of(campaign: &campaign::Model, plan: &Plan, photos: &[Considered]) -> Result<Draw, CatalogError> {
    let seed = u32::try_from(campaign.seed);
    let seed = seed.map_err(|_| CatalogError::Corrupt(format!("campaign {}: seed", campaign.id)))?;
    Ok(plan.draw(seed, campaign.double_share, &candidates(photos)))
}

/// The photos of an interval that `campaign` has not considered, by id. Photos that are not acknowledged yet, or erased,
/// are none.
async fn read<C: ConnectionTrait>(
    connection: &C,
    campaign: Option<Uuid>,
    interval: Interval,
    plan: &Plan,
    locked: bool,
) -> Result<Vec<Considered>, CatalogError> {
    let acknowledged = Condition::any().add(Column::StoredAt.is_not_null()).add(Column::SpoolFile.is_not_null());
    let mut select = prediction::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::CreatedAt.gte(interval.start))
        .filter(Column::CreatedAt.lt(interval.end))
        .filter(Column::ErasedAt.is_null())
        .filter(acknowledged);
    if let Some(campaign) = campaign {
        let before = Query::select()
            .expr(Expr::val(1))
            .from(selection::Entity)
            .and_where(Expr::col((selection::Entity, selection::Column::CampaignId)).eq(campaign))
            .and_where(
                Expr::col((selection::Entity, selection::Column::PredictionId))
                    .equals((prediction::Entity, Column::Id)),
            )
            .to_owned();
        select = select.filter(Expr::exists(before).not());
    }
    let mut ids: Vec<Uuid> = select.limit(MAX_CONSIDERED + 1).into_tuple().all(connection).await?;
    if ids.len() as u64 > MAX_CONSIDERED {
        return Err(CatalogError::TooManyPhotos { most: MAX_CONSIDERED });
    }
    ids.sort_unstable();
    let measured = plan.measures() != Uncertainty::Confidence;
    let mut photos = Vec::with_capacity(ids.len());
    for ids in ids.chunks(ROWS) {
        let mut select = prediction::Entity::find()
            .select_only()
            .columns([Column::Id, Column::Confidence, Column::Flag, Column::CorrectedClass])
            .filter(Column::Id.is_in(ids.iter().copied()))
            .filter(Column::ErasedAt.is_null())
            .order_by_asc(Column::Id);
        if locked {
            select = select.lock_exclusive();
        }
        if measured {
            let rows =
                select.column(Column::Probabilities).into_tuple::<(Uuid, f32, Option<String>, Option<String>, Json)>();
            for (id, confidence, flag, corrected_class, probabilities) in rows.all(connection).await? {
                let probabilities = probabilities_of(id, &probabilities)?;
                photos.push(considered(plan, id, confidence, flag, corrected_class, &probabilities)?);
            }
        } else {
            let rows = select.into_tuple::<(Uuid, f32, Option<String>, Option<String>)>();
            for (id, confidence, flag, corrected_class) in rows.all(connection).await? {
                photos.push(considered(plan, id, confidence, flag, corrected_class, &[])?);
            }
        }
    }
    Ok(photos)
}

fn considered(
    plan: &Plan,
    id: Uuid,
    confidence: f32,
    flag: Option<String>,
    corrected_class: Option<String>,
    probabilities: &[f32],
) -> Result<Considered, CatalogError> {
    let flag: Option<FlagReason> = flag
        .map(|reason| reason.parse())
        .transpose()
        .map_err(|_| CatalogError::Corrupt(format!("prediction {id}: flag")))?;
    let unsure = plan.is_unsure(confidence, probabilities);
    let candidate = Candidate { id, unsure, flag, corrected: corrected_class.is_some() };
    Ok(Considered { candidate, confidence, corrected_class })
}

fn probabilities_of(id: Uuid, json: &Json) -> Result<Vec<f32>, CatalogError> {
    /// What is needed of a class's probability.
    #[derive(Deserialize)]
    struct Number {
        probability: f32,
    }
    let numbers = Vec::<Number>::deserialize(json);
    let numbers = numbers.map_err(|_| CatalogError::Corrupt(format!("prediction {id}: probabilities")))?;
    Ok(numbers.into_iter().map(|number| number.probability).collect())
}

/// Writes what was drawn: the batch, what was decided about each photo, the tasks of the chosen ones, and the orders to
/// make the buckets follow. Answers the batch's number.
async fn freeze(
    transaction: &DatabaseTransaction,
    campaign: &campaign::Model,
    interval: Interval,
    photos: &[Considered],
    draw: &Draw,
) -> Result<i64, CatalogError> {
    let at = now();
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let batch = batch::ActiveModel {
        campaign_id: Set(campaign.id),
        interval_start: Set(interval.start),
        interval_end: Set(interval.end),
        rule: Set(campaign.rule.clone()),
        seed: Set(campaign.seed),
        sizes: Set(draw.tally.considered.0.to_vec().into()),
        chosen: Set(draw.tally.chosen.0.to_vec().into()),
        considered: Set(count(draw.tally.considered.total())),
        drawn_at: Set(at),
        ..Default::default()
    };
    let batch = batch.insert(transaction).await?.id;
    // Both are in the order of ids.
    let pairs: Vec<_> = photos.iter().zip(&draw.decisions).collect();
    for pairs in pairs.chunks(ROWS) {
        let rows = pairs.iter().map(|(photo, decision)| selection::ActiveModel {
            campaign_id: Set(campaign.id),
            prediction_id: Set(decision.id),
            batch_id: Set(batch),
            stratum: Set(i32::try_from(decision.stratum.index()).unwrap_or_default()),
            inclusion: Set(decision.inclusion),
            stratum_size: Set(count(draw.tally.considered.of(decision.stratum))),
            chosen: Set(decision.chosen),
            by_random_sample: Set(decision.by_random_sample),
            confident: Set(decision.confident),
            flag: Set(photo.candidate.flag.map(|reason| reason.as_str().to_owned())),
            corrected_class: Set(photo.corrected_class.clone()),
        });
        selection::Entity::insert_many(rows).exec_without_returning(transaction).await?;
        let tasks: Vec<_> = pairs
            .iter()
            .filter(|(_, decision)| decision.chosen)
            .map(|(_, decision)| task::ActiveModel {
                // Of no version that tells a time or an order: it names what annotators see.
                id: Set(Builder::from_random_bytes(rand::random()).into_uuid()),
                campaign_id: Set(campaign.id),
                prediction_id: Set(decision.id),
                batch_id: Set(batch),
                position: Set(decision.place),
                wanted: Set(if decision.twice { 2 } else { 1 }),
                given: Set(0),
                closed_at: Set(None),
                resolved: Set(None),
                remote_id: Set(None),
                created_at: Set(at),
            })
            .collect();
        if !tasks.is_empty() {
            task::Entity::insert_many(tasks).exec_without_returning(transaction).await?;
        }
        let moved = pairs.iter().map(|(_, decision)| decision).filter(|it| it.chosen || it.confident);
        outbox::enqueue_many(transaction, moved.map(|decision| decision.id)).await?;
    }
    Ok(batch)
}

fn nothing(interval: Option<Interval>, dry_run: bool) -> Selected {
    Selected { interval, dry_run, batch: None, considered: 0, chosen: 0, twice: 0, confident: 0, strata: Vec::new() }
}

fn summary(plan: &Plan, interval: Option<Interval>, dry_run: bool, batch: Option<i64>, draw: &Draw) -> Selected {
    let sizes = draw.tally.considered;
    let strata = PhotoStratum::ALL.into_iter().zip(Stratum::ALL).map(|(stratum, own)| StratumCounts {
        stratum,
        considered: sizes.of(own),
        chosen: draw.tally.chosen.of(own),
        inclusion: plan.inclusion(own, sizes),
    });
    Selected {
        interval,
        dry_run,
        batch,
        considered: sizes.total(),
        chosen: draw.tally.chosen.total(),
        twice: draw.tally.twice,
        confident: draw.tally.confident,
        strata: strata.filter(|counts| counts.considered > 0).collect(),
    }
}

/// How narrow accuracy's interval will be, if the model is right as often as it says, and half of the time where
/// somebody doubted it.
fn half_width(photos: &[Considered], draw: &Draw) -> Option<f64> {
    let mut confidence = [0.0; 4];
    for (photo, decision) in photos.iter().zip(&draw.decisions) {
        confidence[decision.stratum.index()] += f64::from(photo.confidence);
    }
    let sizes = draw.tally.considered;
    let strata = Stratum::ALL.map(|stratum| {
        let size = sizes.of(stratum);
        let accuracy = match stratum {
            Stratum::Flagged | Stratum::Corrected => 0.5,
            Stratum::LowConfidence | Stratum::Others => {
                confidence[stratum.index()] / if size == 0 { 1.0 } else { size as f64 }
            }
        };
        PlannedStratum { stratum, size, labelled: 0, accuracy }
    });
    let width = expected_half_width(&strata, &draw.tally.chosen.0, ConfidenceLevel::NINETY_FIVE);
    (sizes.total() > 0).then_some(width)
}
