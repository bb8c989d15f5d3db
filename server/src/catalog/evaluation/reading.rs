//! Counts, read: as few rows as cover a window.

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram_api::SeriesStep;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, prelude::Json,
    sea_query::Expr,
};
use serde::Deserialize;

use super::{EvaluationDesign, counting::read_counts, design};
use crate::{
    catalog::{
        Catalog, CatalogError,
        entity::{
            evaluation_count::{self, Column as CountColumn},
            evaluation_reference,
            prediction::{self, Column},
        },
    },
    evaluating::{Counts, Reference, Waiting},
};

/// Most model versions that are told of, those with the latest photos.
const MODELS: usize = 50;

/// The counts of a period.
#[derive(Clone, Debug, PartialEq)]
pub struct CountedPeriod {
    /// An hour, a day or a month.
    pub step: SeriesStep,
    /// Its start.
    pub start: DateTime<Utc>,
    /// What was counted.
    pub counts: Counts,
}

/// A model version that has served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedModel {
    /// The version.
    pub version: String,
    /// Photos it served.
    pub photos: u64,
    /// Start of the first hour in which it served.
    pub first: DateTime<Utc>,
    /// End of the last.
    pub last: DateTime<Utc>,
    /// Labels of the random sample, ever, that say it was right,
    pub random_right: u64,
    /// and that it was wrong.
    pub random_wrong: u64,
}

/// In one of these stretches of whole periods.
fn within(runs: &[(SeriesStep, DateTime<Utc>, DateTime<Utc>)]) -> Condition {
    runs.iter().fold(Condition::any(), |any, (step, from, to)| {
        any.add(
            Condition::all()
                .add(CountColumn::Step.eq(step.as_str()))
                .add(CountColumn::StartAt.gte(*from))
                .add(CountColumn::StartAt.lt(*to)),
        )
    })
}

impl Catalog {
    /// The campaign whose labels say how accurate the model is.
    pub async fn evaluation_design(&self, named: Option<&str>) -> Result<EvaluationDesign, CatalogError> {
        design(&self.read, named).await
    }

    /// A model's counts in these stretches of whole periods, oldest first. One statement, so that nobody counts between
    /// them.
    pub async fn evaluation_counts(
        &self,
        model: &str,
        runs: &[(SeriesStep, DateTime<Utc>, DateTime<Utc>)],
    ) -> Result<Vec<CountedPeriod>, CatalogError> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let rows = evaluation_count::Entity::find()
            .filter(CountColumn::Model.eq(model))
            .filter(within(runs))
            .order_by_asc(CountColumn::StartAt)
            .all(&self.read)
            .await?;
        rows.iter()
            .map(|row| {
                let step = row.step.parse().map_err(|_| CatalogError::Corrupt("evaluation_counts: step".to_owned()))?;
                Ok(CountedPeriod { step, start: row.start_at, counts: read_counts(row)? })
            })
            .collect()
    }

    /// How many photos each model version answered in each of these whole periods, by the period's start.
    pub async fn photos_by_model(
        &self,
        runs: &[(SeriesStep, DateTime<Utc>, DateTime<Utc>)],
    ) -> Result<Vec<(DateTime<Utc>, String, u64)>, CatalogError> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let rows = evaluation_count::Entity::find()
            .select_only()
            .column(CountColumn::StartAt)
            .column(CountColumn::Model)
            .column(CountColumn::Photos)
            .filter(within(runs))
            .into_tuple::<(DateTime<Utc>, String, i64)>()
            .all(&self.read)
            .await?;
        Ok(rows.into_iter().map(|(start, model, photos)| (start, model, photos.unsigned_abs())).collect())
    }

    /// Every model version that has served, the latest first.
    pub async fn served_models(&self) -> Result<Vec<ServedModel>, CatalogError> {
        let sum = |column: CountColumn| Expr::col(column).sum().cast_as("bigint");
        let rows = evaluation_count::Entity::find()
            .select_only()
            .column(CountColumn::Model)
            .expr_as(sum(CountColumn::Photos), "all_photos")
            .expr_as(sum(CountColumn::RandomRight), "all_right")
            .expr_as(sum(CountColumn::RandomWrong), "all_wrong")
            .filter(CountColumn::Step.eq(SeriesStep::Month.as_str()))
            .group_by(CountColumn::Model)
            .into_tuple::<(String, i64, i64, i64)>()
            .all(&self.read)
            .await?;
        let mut models = Vec::with_capacity(rows.len());
        for (version, photos, right, wrong) in rows {
            let hours = || {
                evaluation_count::Entity::find()
                    .select_only()
                    .column(CountColumn::StartAt)
                    .filter(CountColumn::Model.eq(&version))
                    .filter(CountColumn::Step.eq(SeriesStep::Hour.as_str()))
                    .limit(1)
            };
            let first =
                hours().order_by_asc(CountColumn::StartAt).into_tuple::<DateTime<Utc>>().one(&self.read).await?;
            let last =
                hours().order_by_desc(CountColumn::StartAt).into_tuple::<DateTime<Utc>>().one(&self.read).await?;
            let Some((first, last)) = first.zip(last) else { continue };
            models.push(ServedModel {
                version,
                photos: photos.unsigned_abs(),
                first,
                last: last + TimeDelta::hours(1),
                random_right: right.unsigned_abs(),
                random_wrong: wrong.unsigned_abs(),
            });
        }
        models.sort_by(|left, right| {
            (right.last, right.first, &right.version).cmp(&(left.last, left.first, &left.version))
        });
        models.truncate(MODELS);
        Ok(models)
    }

    /// Tasks that wait for a label in the campaign of evaluation, of every model and time.
    pub async fn waiting_labels(&self) -> Result<Waiting, CatalogError> {
        let (tasks, since) = evaluation_count::Entity::find()
            .select_only()
            .expr_as(Expr::col(CountColumn::Waiting).sum().cast_as("bigint"), "all_waiting")
            .expr_as(Expr::col(CountColumn::WaitingSince).min(), "oldest")
            .filter(CountColumn::Step.eq(SeriesStep::Month.as_str()))
            .into_tuple::<(Option<i64>, Option<DateTime<Utc>>)>()
            .one(&self.read)
            .await?
            .unwrap_or_default();
        Ok(Waiting { tasks: tasks.unwrap_or_default().unsigned_abs(), since })
    }

    /// What a model version saw first.
    pub async fn drift_reference(&self, model: &str) -> Result<Option<Reference>, CatalogError> {
        let Some(row) = evaluation_reference::Entity::find_by_id(model.to_owned()).one(&self.read).await? else {
            return Ok(None);
        };
        let traffic = serde_json::from_str(&row.counts)
            .map_err(|error| CatalogError::Corrupt(format!("evaluation_references {model}: {error}")))?;
        Ok(Some(Reference { from: row.from_at, to: row.to_at, traffic }))
    }

    /// The classes of a model version in its own order, as one of its answers has them; empty where all of its photos were
    /// erased.
    pub async fn classes_of(&self, model: &str) -> Result<Vec<String>, CatalogError> {
        /// What is needed of a class's probability.
        #[derive(Deserialize)]
        struct Labelled {
            label: String,
        }
        let answer = prediction::Entity::find()
            .select_only()
            .column(Column::Probabilities)
            .filter(Column::ErasedAt.is_null())
            .filter(Column::ModelVersion.eq(model))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Id)
            .limit(1)
            .into_tuple::<Json>()
            .one(&self.read)
            .await?;
        let labelled: Vec<Labelled> = answer.and_then(|json| serde_json::from_value(json).ok()).unwrap_or_default();
        Ok(labelled.into_iter().map(|it| it.label).collect())
    }
}
