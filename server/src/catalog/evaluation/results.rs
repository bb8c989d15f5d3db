//! Evaluations that were published: a row each, never changed.

use chrono::{DateTime, Utc};
use gourmetgram_api::PublishedEvaluation;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, prelude::DateTimeUtc,
};

use crate::{
    catalog::{
        Catalog, CatalogError,
        entity::{
            evaluation_reference,
            evaluation_result::{self, Column},
        },
    },
    evaluating::{Manifest, Reference},
};

impl Catalog {
    /// Publishes a result, unless one of its model was since `unless_since`: of several servers one is faster. Answers
    /// whether it was published.
    pub async fn publish_evaluation(
        &self,
        result: &PublishedEvaluation,
        manifest: &Manifest,
        unless_since: DateTime<Utc>,
    ) -> Result<bool, CatalogError> {
        let corrupt = |error: serde_json::Error| CatalogError::Corrupt(error.to_string());
        let transaction = self.begin().await?;
        if transaction.get_database_backend() == DbBackend::Postgres {
            transaction.execute_unprepared("SELECT pg_advisory_xact_lock(4916013)").await?;
        }
        let newest = evaluation_result::Entity::find()
            .filter(Column::Model.eq(&result.model))
            .filter(Column::ComputedAt.gte(unless_since))
            .limit(1)
            .one(&transaction)
            .await?;
        if newest.is_some() {
            return Ok(false);
        }
        let row = evaluation_result::ActiveModel {
            computed_at: Set(result.computed_at),
            model: Set(result.model.clone()),
            from_at: Set(result.from),
            to_at: Set(result.to),
            result: Set(serde_json::to_string(result).map_err(corrupt)?),
            manifest: Set(serde_json::to_string(manifest).map_err(corrupt)?),
            ..Default::default()
        };
        row.insert(&transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// What was published of a model version before a time, newest first.
    pub async fn published_evaluations(
        &self,
        model: &str,
        before: DateTime<Utc>,
        most: u64,
    ) -> Result<Vec<PublishedEvaluation>, CatalogError> {
        let rows = evaluation_result::Entity::find()
            .filter(Column::Model.eq(model))
            .filter(Column::ComputedAt.lt(before))
            .order_by_desc(Column::Id)
            .limit(most)
            .all(&self.read)
            .await?;
        rows.into_iter()
            .map(|row| {
                let result: PublishedEvaluation = serde_json::from_str(&row.result)
                    .map_err(|error| CatalogError::Corrupt(format!("evaluation_results {}: {error}", row.id)))?;
                Ok(PublishedEvaluation { number: row.id.unsigned_abs(), ..result })
            })
            .collect()
    }

    /// From what a published result can be computed again: its [`Manifest`] as JSON, to the letter as it was published.
    pub async fn published_manifest(&self, number: u64) -> Result<Option<String>, CatalogError> {
        let Ok(id) = i64::try_from(number) else { return Ok(None) };
        let row = evaluation_result::Entity::find_by_id(id).one(&self.read).await?;
        Ok(row.map(|row| row.manifest))
    }

    /// Keeps a reference of drift that was frozen elsewhere, unless there is one.
    pub async fn keep_drift_reference(&self, model: &str, reference: &Reference) -> Result<(), CatalogError> {
        let transaction = self.begin().await?;
        if evaluation_reference::Entity::find_by_id(model.to_owned()).one(&transaction).await?.is_some() {
            return Ok(());
        }
        let counts = serde_json::to_string(&reference.traffic);
        let row = evaluation_reference::ActiveModel {
            model: Set(model.to_owned()),
            from_at: Set(reference.from),
            to_at: Set(reference.to),
            counts: Set(counts.map_err(|error| CatalogError::Corrupt(error.to_string()))?),
        };
        evaluation_reference::Entity::insert(row).exec_without_returning(&transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// When something of this model version was published last.
    pub async fn last_published(&self, model: &str) -> Result<Option<DateTime<Utc>>, CatalogError> {
        let last = evaluation_result::Entity::find()
            .select_only()
            .column(Column::ComputedAt)
            .filter(Column::Model.eq(model))
            .order_by_desc(Column::Id)
            .limit(1);
        Ok(last.into_tuple::<DateTimeUtc>().one(&self.read).await?)
    }
}
