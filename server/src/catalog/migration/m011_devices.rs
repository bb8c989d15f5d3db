//! What a visitor's device adds to a prediction: its own answer, where lists, campaigns and counts can get at it, and that the
//! photo was made smaller to be sent.
//!
//! `device_comparison` is the device's answer beside the server's, in one of four words: the same class or another, by the
//! same model version or another. It is one column because whoever asks for disagreements has to say which: two versions
//! that differ say nothing about a classifier that differs from itself. Erasure keeps it, like the class.

use sea_orm::ConnectionTrait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use super::m009_evaluation;
use crate::catalog::entity::prediction;

/// The step.
pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m011_devices"
    }
}

/// Written the same way on both databases. Where a device answered is indexed in the three orders of lists, like reasons.
const INDEXES: [(&str, &str); 3] = [
    ("device_by_time", "device_comparison, created_at, id, confidence"),
    ("device_by_confidence", "device_comparison, confidence, id, created_at"),
    ("device_by_class", "device_comparison, predicted_class, created_at, id, confidence"),
];

/// Of rows that have a device's answer already. Their records follow by themselves, as those of every row that changes.
const FILL: &str = "UPDATE predictions SET device_comparison = \
     CASE WHEN (device ->> 'model_version') = model_version THEN '' ELSE 'other_version_' END || \
     CASE WHEN (device ->> 'predicted_class') = predicted_class THEN 'agrees' ELSE 'disagrees' END \
     WHERE (device ->> 'predicted_class') IS NOT NULL";

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [prediction::Column::DeviceComparison, prediction::Column::ScaledFrom] {
            let column = string_null(column);
            // One at a time: SQLite takes no more.
            manager.alter_table(Table::alter().table(prediction::Entity).add_column(column).to_owned()).await?;
        }
        let connection = manager.get_connection();
        let filled = connection.execute_unprepared(FILL).await?;
        for (name, columns) in INDEXES {
            let sql = format!(
                "CREATE INDEX {name} ON predictions ({columns}) WHERE erased_at IS NULL AND device_comparison IS NOT NULL"
            );
            connection.execute_unprepared(&sql).await?;
        }
        if filled.rows_affected() > 0 {
            m009_evaluation::mark_everything(connection).await?;
        }
        Ok(())
    }
}
