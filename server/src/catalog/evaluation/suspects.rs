//! Labels that the model contradicts.

use chrono::{DateTime, Utc};
use gourmetgram_api::ClassProbability;
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QuerySelect,
    prelude::{Json, Uuid},
    sea_query::Expr,
};

use super::facts::tasks_of_campaign;
use crate::catalog::{
    Catalog, CatalogError,
    entity::prediction::{self, Column},
    migration::m009_evaluation::seen_label,
};

/// A label that says another class than the model did.
#[derive(Clone, Debug, PartialEq)]
pub struct ContradictedLabel {
    /// The photo.
    pub id: Uuid,
    /// The label that stands in the campaign.
    pub label: String,
    /// What the model answered.
    pub answer: String,
    /// Its probability.
    pub confidence: f32,
    /// The probability of every class, in the model's order.
    pub probabilities: Vec<ClassProbability>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    predicted_class: String,
    confidence: f32,
    probabilities: Json,
    seen: String,
}

impl Catalog {
    /// Labels of a campaign that say another class than a model did of photos that were received in `[from, to)`: those of
    /// which the model was surest first, `most` of them after the first `after`. Erased photos are left out.
    pub async fn contradicted_labels(
        &self,
        campaign: Uuid,
        model: &str,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        (after, most): (u64, u64),
    ) -> Result<Vec<ContradictedLabel>, CatalogError> {
        let seen = seen_label(self.read.get_database_backend());
        let rows = prediction::Entity::find()
            .select_only()
            .columns([Column::Id, Column::PredictedClass, Column::Confidence, Column::Probabilities])
            .expr_as(Expr::cust(seen), "seen")
            .join(JoinType::InnerJoin, tasks_of_campaign(Some(campaign)))
            .filter(Column::ErasedAt.is_null())
            .filter(Column::ModelVersion.eq(model))
            .filter(Column::CreatedAt.gte(from))
            .filter(Column::CreatedAt.lt(to))
            .filter(Expr::cust(format!("{seen} <> predictions.predicted_class")))
            .order_by_desc(Column::Confidence)
            .order_by_desc(Column::Id)
            .offset(after)
            .limit(most)
            .into_model::<Row>()
            .all(&self.read)
            .await?;
        rows.into_iter()
            .map(|row| {
                let corrupt = |_| CatalogError::Corrupt(format!("prediction {}: probabilities", row.id));
                Ok(ContradictedLabel {
                    id: row.id,
                    label: row.seen,
                    answer: row.predicted_class,
                    confidence: row.confidence,
                    probabilities: serde_json::from_value(row.probabilities).map_err(corrupt)?,
                })
            })
            .collect()
    }
}
