//! Photos as evaluation sees them, read from the rows themselves.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use gourmetgram_api::{DeviceComparison, Seen};
use gourmetgram_evaluation::{Stratum, StratumSizes};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, FromQueryResult, JoinType, QueryFilter,
    QueryOrder, QuerySelect, RelationDef,
    prelude::{DateTimeUtc, Json, Uuid},
    sea_query::{Expr, IntoCondition, Query},
};

use crate::{
    catalog::{
        Catalog, CatalogError,
        annotations::read_seen,
        entity::{
            annotation, batch, draw,
            prediction::{self, Column},
            selection, task,
        },
    },
    evaluating::{Considered, Fact, Task},
    labelling::Plan,
};

/// Most photos that are taken apart by slice at once.
pub const MAX_FACTS: u64 = 200_000;

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    created_at: DateTimeUtc,
    model_version: String,
    predicted_class: String,
    confidence: f32,
    flag: Option<String>,
    corrected_class: Option<String>,
    source: Option<String>,
    device_comparison: Option<String>,
    batch_id: Option<i64>,
    stratum: Option<i32>,
    inclusion: Option<f64>,
    by_random_sample: Option<bool>,
    flag_then: Option<String>,
    correction_then: Option<String>,
    task_id: Option<Uuid>,
    task_created_at: Option<DateTimeUtc>,
    closed_at: Option<DateTimeUtc>,
    resolved: Option<Json>,
    given: Option<i32>,
}

/// Two people's labels of one photo, in the order of their names.
type Pair = [(String, Seen); 2];

impl Catalog {
    /// The photos of a window and model, for a look at every one of them; `None` where there are more than [`MAX_FACTS`].
    pub async fn evaluation_facts(
        &self,
        campaign: Option<Uuid>,
        model: &str,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Option<Vec<Fact>>, CatalogError> {
        let mut rates = Rates::default();
        read(&self.read, &mut rates, campaign, Some(model), (from, to), Some(MAX_FACTS)).await
    }
}

/// The random sample's share of batches, looked up once each.
#[derive(Default)]
pub(super) struct Rates(HashMap<i64, f64>);

impl Rates {
    async fn learn<C: ConnectionTrait>(&mut self, connection: &C, rows: &[Row]) -> Result<(), CatalogError> {
        let mut unknown: Vec<i64> = rows.iter().filter_map(|row| row.batch_id).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown.retain(|id| !self.0.contains_key(id));
        for ids in unknown.chunks(500) {
            let batches = batch::Entity::find().filter(batch::Column::Id.is_in(ids.iter().copied()));
            for row in batches.all(connection).await? {
                self.0.insert(row.id, random_share(&row)?);
            }
        }
        Ok(())
    }
}

/// With which probability the random sample of all photos took each photo of a batch; 0 where its rule takes none.
fn random_share(row: &batch::Model) -> Result<f64, CatalogError> {
    let corrupt = |what: &str| CatalogError::Corrupt(format!("batch {}: {what}", row.id));
    let rule = serde_json::from_value(row.rule.clone()).map_err(|_| corrupt("rule"))?;
    let plan = Plan::new(&rule).map_err(|_| corrupt("rule"))?;
    let considered = u64::try_from(row.considered).map_err(|_| corrupt("considered"))?;
    // Of the stratum that nothing else draws from, had it all of the photos.
    let share = |design: gourmetgram_evaluation::BatchDesign| {
        design.inclusion(Stratum::Others, StratumSizes([0, 0, 0, considered, 0]))
    };
    Ok(plan.design().and_then(share).map_or(0.0, |share| share.get()))
}

/// The photos received in `[from, to)`, erased ones too: they were served. `None` where there are more than `most`.
pub(super) async fn read<C: ConnectionTrait>(
    connection: &C,
    rates: &mut Rates,
    campaign: Option<Uuid>,
    model: Option<&str>,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    most: Option<u64>,
) -> Result<Option<Vec<Fact>>, CatalogError> {
    let mut facts = Vec::new();
    // Each has an index of its own.
    for erased in [false, true] {
        let which = if erased {
            Condition::all().add(Column::ErasedAt.is_not_null())
        } else {
            let acknowledged =
                Condition::any().add(Column::StoredAt.is_not_null()).add(Column::SpoolFile.is_not_null());
            Condition::all().add(Column::ErasedAt.is_null()).add(acknowledged)
        };
        let mut select = prediction::Entity::find()
            .select_only()
            .columns([
                Column::Id,
                Column::CreatedAt,
                Column::ModelVersion,
                Column::PredictedClass,
                Column::Confidence,
                Column::Flag,
                Column::CorrectedClass,
                Column::Source,
                Column::DeviceComparison,
            ])
            .columns([
                selection::Column::BatchId,
                selection::Column::Stratum,
                selection::Column::Inclusion,
                selection::Column::ByRandomSample,
            ])
            .column_as(selection::Column::Flag, "flag_then")
            .column_as(selection::Column::CorrectedClass, "correction_then")
            .column_as(task::Column::Id, "task_id")
            .column_as(task::Column::CreatedAt, "task_created_at")
            .columns([task::Column::ClosedAt, task::Column::Resolved, task::Column::Given])
            .join(JoinType::LeftJoin, of_campaign(campaign))
            .join(JoinType::LeftJoin, tasks_of_campaign(campaign))
            .filter(which)
            .filter(Column::CreatedAt.gte(from))
            .filter(Column::CreatedAt.lt(to));
        if let Some(model) = model {
            select = select.filter(Column::ModelVersion.eq(model));
        }
        if let Some(most) = most {
            select = select.limit(most + 1);
        }
        let rows = select.order_by_asc(Column::CreatedAt).into_model::<Row>().all(connection).await?;
        if most.is_some_and(|most| (facts.len() + rows.len()) as u64 > most) {
            return Ok(None);
        }
        rates.learn(connection, &rows).await?;
        let mut pairs = pairs_of(connection, &rows).await?;
        for row in rows {
            let pair = row.task_id.and_then(|task| pairs.remove(&task));
            facts.push(to_fact(row, rates, pair)?);
        }
    }
    Ok(Some(facts))
}

/// What two people said of the photos that two have labelled; of more than two, those who were first.
async fn pairs_of<C: ConnectionTrait>(connection: &C, rows: &[Row]) -> Result<HashMap<Uuid, Pair>, CatalogError> {
    let labelled_twice = rows.iter().filter(|row| row.given.is_some_and(|given| given >= 2));
    let tasks: Vec<Uuid> = labelled_twice.filter_map(|row| row.task_id).collect();
    let mut said: HashMap<Uuid, Vec<(String, Seen)>> = HashMap::new();
    for tasks in tasks.chunks(500) {
        let standing = annotation::Entity::find()
            .filter(annotation::Column::TaskId.is_in(tasks.iter().copied()))
            .filter(annotation::Column::ReplacedAt.is_null())
            .order_by_asc(annotation::Column::Id);
        for row in standing.all(connection).await? {
            let seen = read_seen(&row)?;
            said.entry(row.task_id).or_default().push((row.annotator, seen));
        }
    }
    let pair = |(task, mut said): (Uuid, Vec<(String, Seen)>)| {
        said.truncate(2);
        said.sort();
        Some((task, said.try_into().ok()?))
    };
    Ok(said.into_iter().filter_map(pair).collect())
}

fn of_campaign(campaign: Option<Uuid>) -> RelationDef {
    prediction::Entity::belongs_to(selection::Entity)
        .from(Column::Id)
        .to(selection::Column::PredictionId)
        .on_condition(move |_, selections| {
            // A batch counts when all of it is there, tasks too.
            let under_way = Query::select()
                .column(draw::Column::BatchId)
                .from(draw::Entity)
                .and_where(Expr::col(draw::Column::BatchId).is_not_null())
                .to_owned();
            Condition::all()
                .add(Expr::col((selections.clone(), selection::Column::CampaignId)).eq(campaign.unwrap_or_default()))
                .add(Expr::col((selections, selection::Column::BatchId)).not_in_subquery(under_way))
        })
        .into()
}

/// The task of each photo in a campaign.
pub(super) fn tasks_of_campaign(campaign: Option<Uuid>) -> RelationDef {
    prediction::Entity::belongs_to(task::Entity)
        .from(Column::Id)
        .to(task::Column::PredictionId)
        .on_condition(move |_, tasks| {
            Expr::col((tasks, task::Column::CampaignId)).eq(campaign.unwrap_or_default()).into_condition()
        })
        .into()
}

fn to_fact(row: Row, rates: &Rates, pair: Option<Pair>) -> Result<Fact, CatalogError> {
    let corrupt = |what: &str| CatalogError::Corrupt(format!("selection of prediction {}: {what}", row.id));
    let considered = match (row.batch_id, row.stratum, row.inclusion) {
        (Some(batch), Some(stratum), Some(inclusion)) => {
            let stratum = usize::try_from(stratum).ok().and_then(|index| Stratum::ALL.get(index).copied());
            let seen = row
                .resolved
                .as_ref()
                .filter(|json| !json.is_null())
                .map(|json| serde_json::from_value::<Seen>(json.clone()));
            let seen = seen.transpose().map_err(|_| corrupt("resolved"))?;
            Some(Considered {
                batch,
                stratum: stratum.ok_or_else(|| corrupt("stratum"))?,
                inclusion,
                rate: rates.0.get(&batch).copied().unwrap_or_default(),
                by_random_sample: row.by_random_sample.unwrap_or_default(),
                flagged: row.flag_then.is_some(),
                correction: row.correction_then.clone(),
                task: row.task_id.map(|_| Task {
                    waits_since: if row.closed_at.is_none() { row.task_created_at } else { None },
                    seen,
                    pair,
                }),
            })
        }
        _ => None,
    };
    let device = row.device_comparison.as_deref().map(str::parse::<DeviceComparison>).transpose();
    let device = device.map_err(|_| CatalogError::Corrupt(format!("prediction {}: device_comparison", row.id)))?;
    Ok(Fact {
        at: row.created_at,
        model: row.model_version,
        class: row.predicted_class,
        confidence: row.confidence,
        flagged: row.flag.is_some(),
        corrected: row.corrected_class.is_some(),
        source: row.source,
        device,
        considered,
    })
}
