//! A campaign over made-up predictions: for the benchmark beside this file and for the tests that look at query plans.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};

/// Name of the campaign of [`label`].
pub const CAMPAIGN: &str = "Filled";

/// Adds a campaign that chose every annotated prediction, and in which the label is what stands. It can be done again when more
/// are filled in.
pub async fn label(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let (campaign, json) = if connection.get_database_backend() == DbBackend::Sqlite {
        ("unhex('019aaaaaaaaa7000a000000000000001')", "")
    } else {
        ("'019aaaaa-aaaa-7000-a000-000000000001'::uuid", "::json")
    };
    let at = "'2026-01-01 00:00:00.000+00:00'";
    let statements = [
        format!(
            "INSERT INTO campaigns (id, name, rule, blind, labelled_in, double_share, seed, created_at) \
             VALUES ({campaign}, '{CAMPAIGN}', '{{\"kind\":\"everything\"}}'{json}, TRUE, 'review', 0.0, 1, {at}) \
             ON CONFLICT DO NOTHING"
        ),
        format!(
            "INSERT INTO batches (campaign_id, interval_start, interval_end, rule, seed, sizes, chosen, considered, \
             drawn_at) SELECT {campaign}, {at}, {at}, '{{\"kind\":\"everything\"}}'{json}, 1, '[]'{json}, '[]'{json}, 0, {at} \
             WHERE NOT EXISTS (SELECT 1 FROM batches WHERE campaign_id = {campaign})"
        ),
        format!(
            "INSERT INTO selections (campaign_id, prediction_id, batch_id, stratum, inclusion, stratum_size, chosen, \
             by_random_sample, confident) SELECT {campaign}, predictions.id, batches.id, 3, 0.1, 10, TRUE, TRUE, FALSE \
             FROM predictions, batches WHERE annotated_class IS NOT NULL AND batches.campaign_id = {campaign} \
             ON CONFLICT DO NOTHING"
        ),
        format!(
            "INSERT INTO tasks (id, campaign_id, prediction_id, batch_id, position, wanted, given, closed_at, resolved, \
             created_at) SELECT selections.prediction_id, {campaign}, selections.prediction_id, batch_id, 1, 1, 1, \
             predictions.created_at, ('{{\"answer\":\"class\",\"label\":\"' || annotated_class || '\"}}'){json}, \
             predictions.created_at FROM selections JOIN predictions ON predictions.id = prediction_id \
             WHERE campaign_id = {campaign} ON CONFLICT DO NOTHING"
        ),
    ];
    for sql in statements {
        connection.execute_unprepared(&sql).await?;
    }
    Ok(())
}
