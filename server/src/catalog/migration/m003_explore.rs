//! Lists that stay fast at a million predictions, and the columns that labelling will fill.
//!
//! **What labelling fills in.** `annotated_class`, `annotated_by` and `annotated_at` are the label that *stands*, like
//! `flag` and `corrected_class` are the flag and the correction that stand: every annotation there ever was has its own
//! row elsewhere, and a list must not join and resolve them for each of a million photos. `label_wait_since`,
//! `noisy_since` and `clean_since` say since when a copy lies in that bucket; they are columns and not a table of
//! placements because there are exactly three such buckets, and because a filter on another table could not share an
//! index with the order of the list. Production needs none: `stored_at` says it.
//!
//! **Indexes.** A page is read by walking an index in the order of the list from where the last page ended. Each index
//! therefore ends in the columns of that order, and carries the other columns one can filter a range of, so that what
//! does not match is passed over within the index. Three orders are served for all photos, for one class and for one
//! model version. What few photos have (a flag, say) gets partial indexes: they cost nothing for all the others. All
//! leave out erased photos. `server/examples/explore` measures what they are good for.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::catalog::entity::prediction;

/// The step.
pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m003_explore"
    }
}

/// The three orders: their columns, then those that are only looked at.
const BY_TIME: &str = "created_at, id, confidence";
const BY_CONFIDENCE: &str = "confidence, id, created_at";
const BY_CLASS: &str = "predicted_class, created_at, id, confidence";

/// What few photos have: the word for the index, and the column that is not null there.
const RARE: [(&str, &str); 6] = [
    ("flagged", "flag"),
    ("corrected", "corrected_class"),
    ("annotated", "annotated_class"),
    ("label_wait", "label_wait_since"),
    ("noisy", "noisy_since"),
    ("clean", "clean_since"),
];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use prediction::Column as P;
        let columns = [
            string_null(P::AnnotatedClass),
            string_null(P::AnnotatedBy),
            timestamp_with_time_zone_null(P::AnnotatedAt),
            timestamp_with_time_zone_null(P::LabelWaitSince),
            timestamp_with_time_zone_null(P::NoisySince),
            timestamp_with_time_zone_null(P::CleanSince),
        ];
        for column in columns {
            // One at a time: SQLite takes no more.
            manager.alter_table(Table::alter().table(prediction::Entity).add_column(column).to_owned()).await?;
        }
        manager.drop_index(Index::drop().name("predictions_by_time").table(prediction::Entity).to_owned()).await?;
        let connection = manager.get_connection();
        for (name, columns, having) in indexes() {
            // Partial indexes are written the same way on both databases.
            let condition = having.map(|column| format!(" AND {column} IS NOT NULL")).unwrap_or_default();
            let sql = format!("CREATE INDEX {name} ON predictions ({columns}) WHERE erased_at IS NULL{condition}");
            connection.execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}

/// Name, columns, and the column that must not be null.
fn indexes() -> Vec<(String, String, Option<&'static str>)> {
    let mut indexes = Vec::new();
    for (order, columns) in [("time", BY_TIME), ("confidence", BY_CONFIDENCE), ("class", BY_CLASS)] {
        indexes.push((format!("listed_by_{order}"), columns.to_owned(), None));
        indexes.push((format!("version_by_{order}"), format!("model_version, {columns}"), None));
        for (what, having) in RARE {
            indexes.push((format!("{what}_by_{order}"), columns.to_owned(), Some(having)));
        }
        indexes.push((format!("reason_by_{order}"), format!("flag, {columns}"), Some("flag")));
        indexes.push((format!("annotator_by_{order}"), format!("annotated_by, {columns}"), Some("annotated_by")));
    }
    // One class by time is a part of all by class.
    indexes.push(("class_by_confidence".to_owned(), format!("predicted_class, {BY_CONFIDENCE}"), None));
    indexes
}
