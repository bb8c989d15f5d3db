//! Selecting: a campaign considers the photos of an interval, each once, and freezes what it decides about them.
//!
//! However many photos there are, no transaction writes more than a part of them, so that others can write in between:
//!
//! 1. the photos are read, in one look, and the draw is made;
//! 2. what was decided is laid down, part by part, where nobody sees it (`draws`, `draw_parts`);
//! 3. one small transaction makes it count: it locks the campaign's row, so that two servers take turns, finds that no
//!    other batch has come in between, and adds the batch. From here on everything that follows is decided, whoever dies;
//! 4. part by part the photos are written down as considered; with the last one the batch is complete;
//! 5. part by part the tasks of the chosen ones are made and the orders given that make the buckets follow.
//!
//! Whoever selects for a campaign first does what is left of 4 and 5, of whichever server began it; a lock on the draw's
//! row has several take turns. That each photo is considered once is the primary key's word. In 5 the photos are locked in
//! the order of their ids, as everybody does: nobody erases one of them before its task is there to be withdrawn, and
//! those that were erased meanwhile get none.

use std::collections::HashSet;

use futures::TryStreamExt;
use gourmetgram_api::{
    CampaignPreview, DeviceComparison, FlagReason, Interval, NewCampaign, PhotoStratum, PredictionId, Selected,
    StratumCounts, Uncertainty,
};
use gourmetgram_evaluation::{ConfidenceLevel, PlannedStratum, Stratum, expected_half_width};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait,
    ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Statement, Value,
    prelude::Json,
    sea_query::{Expr, Query},
};
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use super::{
    Catalog, CatalogError, Pauses,
    campaigns::asked,
    entity::{
        batch, campaign, draw, draw_part, outbox as entity_outbox,
        prediction::{self, Column},
        selection, task,
    },
    now,
};
use crate::labelling::{Candidate, Decision, Draw, Plan};

/// Most photos that are considered at once: what a draw holds in memory, about 100 bytes a photo.
pub const MAX_CONSIDERED: u64 = 1_000_000;
/// Photos that one transaction writes: a fraction of a second, for which others wait at most.
const PART: usize = 10_000;
/// Tasks that are written by one statement: within what SQLite and PostgreSQL take as parameters.
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
            let photos = read(&self.read, Some(id), interval, &plan).await?;
            let draw = draw_of(&campaign, &plan, &photos)?;
            return Ok(summary(&plan, Some(interval), dry_run, None, &draw));
        }
        self.select_in_parts(id, interval, PART).await
    }

    /// The same, not dry, with so many photos in each transaction.
    pub async fn select_in_parts(&self, id: Uuid, interval: Interval, part: usize) -> Result<Selected, CatalogError> {
        loop {
            // Before what is left of it is done: a batch that comes after this may have decided about photos which are not
            // yet written down as considered, and makes what is drawn here worth nothing.
            let latest = latest_batch(&self.read, id).await?;
            self.finish_draws(id).await?;
            let (campaign, plan) = selecting(campaign::Entity::find_by_id(id).one(&self.read).await?)?;
            let Some(interval) = interval.within(campaign.starts_at, campaign.ends_at) else {
                return Ok(nothing(None, false));
            };
            let photos = read(&self.read, Some(id), interval, &plan).await?;
            if photos.is_empty() {
                return Ok(nothing(Some(interval), false));
            }
            let draw = draw_of(&campaign, &plan, &photos)?;
            let staged = self.lay_down(&campaign, &plan, &photos, &draw, part).await?;
            let Some(batch) = self.make_count(staged, latest, interval, &draw).await? else { continue };
            self.finish_draws(id).await?;
            return Ok(summary(&plan, Some(interval), false, Some(batch), &draw));
        }
    }

    /// Lays down what was decided, where nobody sees it.
    async fn lay_down(
        &self,
        campaign: &campaign::Model,
        plan: &Plan,
        photos: &[Considered],
        drawn: &Draw,
        part: usize,
    ) -> Result<Uuid, CatalogError> {
        let id = Uuid::now_v7();
        let sizes = drawn.tally.considered;
        let strata: Vec<_> = Stratum::ALL.map(|it| (plan.inclusion(it, sizes), sizes.of(it))).to_vec();
        let parts = photos.len().div_ceil(part.max(1));
        draw::ActiveModel {
            id: Set(id),
            campaign_id: Set(campaign.id),
            batch_id: Set(None),
            parts: Set(i32::try_from(parts).unwrap_or(i32::MAX)),
            written: Set(0),
            strata: Set(serde_json::to_value(strata).map_err(corrupt)?),
        }
        .insert(&self.write)
        .await?;
        // Both are in the order of ids.
        let pairs = photos.chunks(part.max(1)).zip(drawn.decisions.chunks(part.max(1)));
        for (number, (photos, decisions)) in (0..).zip(pairs) {
            let photos: Vec<Laid> = photos.iter().zip(decisions).map(|(photo, it)| Laid::of(photo, it)).collect();
            let photos = serde_json::to_string(&photos).map_err(corrupt)?;
            let row = draw_part::ActiveModel { draw_id: Set(id), part: Set(number), photos: Set(photos) };
            draw_part::Entity::insert(row).exec_without_returning(&self.write).await?;
        }
        Ok(id)
    }

    /// Makes a draw count. Answers its batch; nothing where there is another batch meanwhile, and the draw is worth nothing.
    async fn make_count(
        &self,
        id: Uuid,
        latest: Option<i64>,
        interval: Interval,
        drawn: &Draw,
    ) -> Result<Option<i64>, CatalogError> {
        let transaction = self.begin().await?;
        let own = draw::Entity::find_by_id(id).one(&transaction).await?;
        // Another server has cleaned up, because it was faster: what was laid down since goes too.
        let Some(own) = own else {
            draw_part::Entity::delete_many().filter(draw_part::Column::DrawId.eq(id)).exec(&transaction).await?;
            transaction.commit().await?;
            return Ok(None);
        };
        let campaign = campaign::Entity::find_by_id(own.campaign_id).lock_exclusive().one(&transaction).await?;
        let campaign = match selecting(campaign) {
            Ok((campaign, _)) => campaign,
            Err(error) => {
                discard(&transaction, Condition::all().add(draw::Column::Id.eq(id))).await?;
                transaction.commit().await?;
                return Err(error);
            }
        };
        let batch = match latest_batch(&transaction, campaign.id).await? == latest {
            false => None,
            true => {
                let batch = batch::ActiveModel {
                    campaign_id: Set(campaign.id),
                    interval_start: Set(interval.start),
                    interval_end: Set(interval.end),
                    rule: Set(campaign.rule.clone()),
                    seed: Set(campaign.seed),
                    sizes: Set(drawn.tally.considered.0.to_vec().into()),
                    chosen: Set(drawn.tally.chosen.0.to_vec().into()),
                    considered: Set(0),
                    drawn_at: Set(now()),
                    ..Default::default()
                };
                Some(batch.insert(&transaction).await?.id)
            }
        };
        // What others have laid down, or died over, is worth nothing now; or ours, if we were too late.
        let worthless = match batch {
            None => Condition::all().add(draw::Column::Id.eq(id)),
            Some(_) => Condition::all()
                .add(draw::Column::CampaignId.eq(campaign.id))
                .add(draw::Column::BatchId.is_null())
                .add(draw::Column::Id.ne(id)),
        };
        discard(&transaction, worthless).await?;
        if batch.is_some() {
            draw::ActiveModel { id: Set(id), batch_id: Set(batch), ..Default::default() }.update(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(batch)
    }

    /// Writes what a campaign has drawn and not written yet, one part a transaction. Several servers take turns.
    pub async fn finish_draws(&self, campaign: Uuid) -> Result<(), CatalogError> {
        let oldest = draw::Entity::find()
            .filter(draw::Column::CampaignId.eq(campaign))
            .filter(draw::Column::BatchId.is_not_null())
            .order_by_asc(draw::Column::BatchId);
        if oldest.clone().one(&self.read).await?.is_none() {
            return Ok(());
        }
        let mut pauses = Pauses::new(self);
        loop {
            let transaction = self.begin().await?;
            let Some(draw) = oldest.clone().lock_exclusive().one(&transaction).await? else { return Ok(()) };
            let batch = draw.batch_id.unwrap_or_default();
            if draw.written < draw.parts {
                write_selections(&transaction, &draw, batch).await?;
                let written = draw.written + 1;
                draw::ActiveModel { id: Set(draw.id), written: Set(written), ..Default::default() }
                    .update(&transaction)
                    .await?;
                if written == draw.parts {
                    let considered = strata_of(&draw)?.iter().map(|(_, size)| size).sum();
                    batch::ActiveModel { id: Set(batch), considered: Set(considered), ..Default::default() }
                        .update(&transaction)
                        .await?;
                }
            } else {
                let part = draw_part::Entity::find()
                    .filter(draw_part::Column::DrawId.eq(draw.id))
                    .order_by_asc(draw_part::Column::Part)
                    .one(&transaction)
                    .await?;
                match part {
                    Some(part) => {
                        make_tasks(&transaction, &draw, batch, &part).await?;
                        draw_part::Entity::delete_by_id((part.draw_id, part.part)).exec(&transaction).await?;
                    }
                    None => {
                        draw::Entity::delete_by_id(draw.id).exec(&transaction).await?;
                    }
                }
            }
            transaction.commit().await?;
            pauses.leave_one().await;
        }
    }

    /// Photos that a campaign has considered and chosen in batches of this very interval: those of a scheduled run's
    /// neighbours overlap it.
    pub async fn selected_of(&self, id: Uuid, interval: Interval) -> Result<(u64, u64), CatalogError> {
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
        let photos = read(&self.read, None, interval, &plan).await?;
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
        .add(batch::Column::IntervalStart.eq(interval.start))
        .add(batch::Column::IntervalEnd.eq(interval.end))
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

/// The photos of an interval that `campaign` has not considered, by id, in one look. Photos that are not acknowledged yet, or
/// erased, are none.
async fn read(
    connection: &DatabaseConnection,
    campaign: Option<Uuid>,
    interval: Interval,
    plan: &Plan,
) -> Result<Vec<Considered>, CatalogError> {
    let acknowledged = Condition::any().add(Column::StoredAt.is_not_null()).add(Column::SpoolFile.is_not_null());
    let mut select = prediction::Entity::find()
        .select_only()
        .columns([Column::Id, Column::Confidence, Column::Flag, Column::CorrectedClass, Column::DeviceComparison])
        .filter(Column::CreatedAt.gte(interval.start))
        .filter(Column::CreatedAt.lt(interval.end))
        .filter(Column::ErasedAt.is_null())
        .filter(acknowledged)
        .limit(MAX_CONSIDERED + 1);
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
    let mut photos = Vec::new();
    if plan.measures() == Uncertainty::Confidence {
        let mut rows = select.into_tuple::<Row>().stream(connection).await?;
        while let Some(row) = rows.try_next().await? {
            photos.push(considered(plan, row, &[])?);
        }
    } else {
        let select = select.column(Column::Probabilities);
        let rows = select.into_tuple::<(Uuid, f32, Option<String>, Option<String>, Option<String>, Json)>();
        let mut rows = rows.stream(connection).await?;
        while let Some((id, confidence, flag, corrected_class, device, probabilities)) = rows.try_next().await? {
            let probabilities = probabilities_of(id, &probabilities)?;
            photos.push(considered(plan, (id, confidence, flag, corrected_class, device), &probabilities)?);
        }
    }
    if photos.len() as u64 > MAX_CONSIDERED {
        return Err(CatalogError::TooManyPhotos { most: MAX_CONSIDERED });
    }
    photos.sort_unstable_by_key(|photo| photo.candidate.id);
    Ok(photos)
}

/// Removes draws that do not count.
async fn discard(transaction: &DatabaseTransaction, which: Condition) -> Result<(), CatalogError> {
    let ids = Query::select().column(draw::Column::Id).from(draw::Entity).cond_where(which.clone()).to_owned();
    draw_part::Entity::delete_many().filter(draw_part::Column::DrawId.in_subquery(ids)).exec(transaction).await?;
    draw::Entity::delete_many().filter(which).exec(transaction).await?;
    Ok(())
}

async fn latest_batch(connection: &impl ConnectionTrait, campaign: Uuid) -> Result<Option<i64>, CatalogError> {
    let latest: Option<Option<i64>> = batch::Entity::find()
        .select_only()
        .column_as(batch::Column::Id.max(), "latest")
        .filter(batch::Column::CampaignId.eq(campaign))
        .into_tuple()
        .one(connection)
        .await?;
    Ok(latest.flatten())
}

/// What is read of a photo: its id, its confidence, flag, correction, and what its device's answer is beside the server's.
type Row = (Uuid, f32, Option<String>, Option<String>, Option<String>);

fn considered(plan: &Plan, row: Row, probabilities: &[f32]) -> Result<Considered, CatalogError> {
    let (id, confidence, flag, corrected_class, device) = row;
    let corrupt = |what: &str| CatalogError::Corrupt(format!("prediction {id}: {what}"));
    let flag: Option<FlagReason> = flag.map(|reason| reason.parse()).transpose().map_err(|_| corrupt("flag"))?;
    let device: Option<DeviceComparison> =
        device.map(|word| word.parse()).transpose().map_err(|_| corrupt("device_comparison"))?;
    let unsure = plan.is_unsure(confidence, probabilities);
    let candidate = Candidate { id, unsure, flag, corrected: corrected_class.is_some(), device };
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

/// What was decided about a photo, as it is laid down: its id, its stratum, the bits below, where its task stands, and the
/// flag and the correction that stood then. A JSON array, which both databases can take apart.
#[derive(Debug, Serialize, Deserialize)]
struct Laid(String, usize, u8, i64, Option<String>, Option<String>);

const CHOSEN: u8 = 1;
const BY_RANDOM_SAMPLE: u8 = 2;
const CONFIDENT: u8 = 4;
const TWICE: u8 = 8;

impl Laid {
    fn of(photo: &Considered, decision: &Decision) -> Self {
        let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let bits = bit(decision.chosen, CHOSEN)
            | bit(decision.by_random_sample, BY_RANDOM_SAMPLE)
            | bit(decision.confident, CONFIDENT)
            | bit(decision.twice, TWICE);
        Self(
            decision.id.simple().to_string(),
            decision.stratum.index(),
            bits,
            if decision.chosen { decision.place } else { 0 },
            photo.candidate.flag.map(|reason| reason.as_str().to_owned()),
            photo.corrected_class.clone(),
        )
    }

    fn is_chosen(&self) -> bool {
        self.2 & CHOSEN != 0
    }
}

fn corrupt(error: serde_json::Error) -> CatalogError {
    CatalogError::Corrupt(format!("a draw: {error}"))
}

/// π and N_h of each stratum. One that was laid down by an older server may know fewer.
fn strata_of(row: &draw::Model) -> Result<Vec<(f64, i64)>, CatalogError> {
    serde_json::from_value(row.strata.clone()).map_err(corrupt)
}

/// The photos of a part of a draw, one a row, in words of each database.
struct LaidSql {
    /// What follows `FROM`.
    from: &'static str,
    /// A photo's id.
    id: &'static str,
    /// Takes a field as a number.
    number: fn(usize) -> String,
    /// Takes a bit as a truth.
    bit: fn(u8) -> String,
}

fn laid_sql(backend: DbBackend) -> LaidSql {
    match backend {
        DbBackend::Sqlite => LaidSql {
            from: "draw_parts, json_each(draw_parts.photos) AS laid",
            id: "unhex(laid.value ->> 0)",
            number: |field| format!("(laid.value ->> {field})"),
            bit: |bit| format!("(((laid.value ->> 2) & {bit}) <> 0)"),
        },
        _ => LaidSql {
            from: "draw_parts CROSS JOIN LATERAL json_array_elements(draw_parts.photos::json) AS laid(value)",
            id: "(laid.value ->> 0)::uuid",
            number: |field| format!("(laid.value ->> {field})::int"),
            bit: |bit| format!("(((laid.value ->> 2)::int & {bit}) <> 0)"),
        },
    }
}

/// Writes the photos of the next part down as considered, in one statement: nothing of it comes here.
async fn write_selections(
    transaction: &DatabaseTransaction,
    draw: &draw::Model,
    batch: i64,
) -> Result<(), CatalogError> {
    let backend = transaction.get_database_backend();
    let LaidSql { from, id, number, bit } = laid_sql(backend);
    let stratum = number(1);
    let strata = strata_of(draw)?;
    let case = |first: usize, kind: &str| {
        let when = (0..strata.len()).map(|index| format!("WHEN {index} THEN CAST(${} AS {kind})", first + index));
        format!("CASE {stratum} {} END", when.collect::<Vec<_>>().join(" "))
    };
    let (inclusion, size) = (case(5, "double precision"), case(5 + strata.len(), "bigint"));
    let (chosen, sampled, confident) = (bit(CHOSEN), bit(BY_RANDOM_SAMPLE), bit(CONFIDENT));
    let sql = format!(
        "INSERT INTO selections (campaign_id, prediction_id, batch_id, stratum, inclusion, stratum_size, chosen, \
         by_random_sample, confident, flag, corrected_class) \
         SELECT $1, {id}, $2, {stratum}, {inclusion}, {size}, {chosen}, {sampled}, {confident}, laid.value ->> 4, \
         laid.value ->> 5 FROM {from} WHERE draw_parts.draw_id = $3 AND draw_parts.part = $4"
    );
    let mut values: Vec<Value> = vec![draw.campaign_id.into(), batch.into(), draw.id.into(), draw.written.into()];
    values.extend(strata.iter().map(|(inclusion, _)| Value::from(*inclusion)));
    values.extend(strata.iter().map(|(_, size)| Value::from(*size)));
    transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(())
}

/// Makes the tasks of a part's chosen photos, and orders the buckets to follow.
async fn make_tasks(
    transaction: &DatabaseTransaction,
    draw: &draw::Model,
    batch: i64,
    part: &draw_part::Model,
) -> Result<(), CatalogError> {
    let backend = transaction.get_database_backend();
    let at = now();
    let LaidSql { from, id, bit, .. } = laid_sql(backend);
    let moved = bit(CHOSEN | CONFIDENT);
    let this_part = "draw_parts.draw_id = $1 AND draw_parts.part = $2";
    let own: [Value; 2] = [draw.id.into(), part.part.into()];
    // SQLite has one writer, and no locks on rows.
    if backend == DbBackend::Postgres {
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM predictions WHERE id IN (SELECT {id} FROM {from} WHERE {this_part} AND \
             {moved}) ORDER BY id FOR UPDATE) AS locked"
        );
        transaction.query_one_raw(Statement::from_sql_and_values(backend, sql, own.clone())).await?;
    }
    let photos: Vec<Laid> = serde_json::from_str(&part.photos).map_err(corrupt)?;
    let chosen: Vec<&Laid> = photos.iter().filter(|photo| photo.is_chosen()).collect();
    for photos in chosen.chunks(ROWS) {
        let ids: Result<Vec<Uuid>, _> = photos.iter().map(|photo| photo.0.parse::<Uuid>()).collect();
        let ids = ids.map_err(|error| CatalogError::Corrupt(format!("a draw: {error}")))?;
        // Withdrawn before it was made: nobody labels what is erased.
        let erased: HashSet<Uuid> = prediction::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Id.is_in(ids.iter().copied()))
            .filter(Column::ErasedAt.is_not_null())
            .into_tuple()
            .all(transaction)
            .await?
            .into_iter()
            .collect();
        let tasks = photos.iter().zip(ids).filter(|(_, id)| !erased.contains(id)).map(|(photo, id)| {
            task::ActiveModel {
                // Of no version that tells a time or an order: it names what annotators see.
                id: Set(Builder::from_random_bytes(rand::random()).into_uuid()),
                campaign_id: Set(draw.campaign_id),
                prediction_id: Set(id),
                batch_id: Set(batch),
                position: Set(photo.3),
                wanted: Set(if photo.2 & TWICE != 0 { 2 } else { 1 }),
                given: Set(0),
                closed_at: Set(None),
                resolved: Set(None),
                remote_id: Set(None),
                created_at: Set(at),
            }
        });
        let tasks: Vec<_> = tasks.collect();
        if !tasks.is_empty() {
            task::Entity::insert_many(tasks).exec_without_returning(transaction).await?;
        }
    }
    // SQLite takes a CROSS JOIN in the order in which it is written: the part first.
    let sql = format!(
        "INSERT INTO outbox (prediction_id, revision, attempts, due_at, erase_passes, created_at) \
         SELECT predictions.id, 1, 0, $3, 0, $3 FROM {from} CROSS JOIN predictions \
         WHERE predictions.id = {id} AND {this_part} AND {moved} AND predictions.erased_at IS NULL \
         ON CONFLICT (prediction_id) DO UPDATE SET revision = outbox.revision + 1"
    );
    let mut values = own.to_vec();
    values.push(at.into());
    transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    Ok(())
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
    let mut confidence = [0.0; Stratum::ALL.len()];
    for (photo, decision) in photos.iter().zip(&draw.decisions) {
        confidence[decision.stratum.index()] += f64::from(photo.confidence);
    }
    let sizes = draw.tally.considered;
    let strata = Stratum::ALL.map(|stratum| {
        let size = sizes.of(stratum);
        let accuracy = match stratum {
            Stratum::Flagged | Stratum::Corrected | Stratum::DeviceDisagrees => 0.5,
            Stratum::LowConfidence | Stratum::Others => {
                confidence[stratum.index()] / if size == 0 { 1.0 } else { size as f64 }
            }
        };
        PlannedStratum { stratum, size, labelled: 0, accuracy }
    });
    let width = expected_half_width(&strata, &draw.tally.chosen.0, ConfidenceLevel::NINETY_FIVE);
    (sizes.total() > 0).then_some(width)
}
