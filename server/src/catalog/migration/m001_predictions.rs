//! Predictions, feedback, outbox and access tokens.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::catalog::entity::{access_token, feedback, outbox, prediction};

/// The step.
pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m001_predictions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        use prediction::Column as P;
        manager
            .create_table(
                Table::create()
                    .table(prediction::Entity)
                    .col(uuid(P::Id).primary_key())
                    .col(timestamp_with_time_zone(P::CreatedAt))
                    .col(string_null(P::Visitor))
                    .col(string_null(P::Idempotency).unique_key())
                    .col(string(P::ImageSha256))
                    .col(string(P::ObjectKey))
                    .col(string(P::ContentType))
                    .col(big_integer(P::Bytes))
                    .col(integer(P::Width))
                    .col(integer(P::Height))
                    .col(integer(P::ClassIndex))
                    .col(string(P::PredictedClass))
                    .col(float(P::Confidence))
                    .col(json(P::Probabilities))
                    .col(string(P::ModelVersion))
                    .col(json_null(P::Device))
                    .col(string_null(P::Flag))
                    .col(string_null(P::CorrectedClass))
                    .col(timestamp_with_time_zone_null(P::StoredAt))
                    .col(string_null(P::SpoolFile))
                    .col(uuid_null(P::SpoolNode))
                    .col(timestamp_with_time_zone_null(P::ErasedAt))
                    .to_owned(),
            )
            .await?;
        for (name, columns) in [
            ("predictions_by_time", vec![P::CreatedAt, P::Id]),
            ("predictions_by_visitor", vec![P::Visitor, P::CreatedAt, P::Id]),
            ("predictions_by_spool", vec![P::SpoolNode, P::SpoolFile]),
        ] {
            let mut index = Index::create();
            index.name(name).table(prediction::Entity);
            for column in columns {
                index.col(column);
            }
            manager.create_index(index.to_owned()).await?;
        }

        use feedback::Column as F;
        manager
            .create_table(
                Table::create()
                    .table(feedback::Entity)
                    .col(big_pk_auto(F::Id))
                    .col(uuid(F::PredictionId))
                    .col(string(F::Kind))
                    .col(string_null(F::Value))
                    .col(string(F::Actor))
                    .col(timestamp_with_time_zone(F::At))
                    .foreign_key(
                        ForeignKey::create().from(feedback::Entity, F::PredictionId).to(prediction::Entity, P::Id),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("feedback_by_prediction")
                    .table(feedback::Entity)
                    .col(F::PredictionId)
                    .col(F::Id)
                    .to_owned(),
            )
            .await?;

        use outbox::Column as O;
        manager
            .create_table(
                Table::create()
                    .table(outbox::Entity)
                    .col(uuid(O::PredictionId).primary_key())
                    .col(big_integer(O::Revision))
                    .col(integer(O::Attempts))
                    .col(timestamp_with_time_zone(O::DueAt))
                    .col(uuid_null(O::Lease))
                    .col(uuid_null(O::LeasedBy))
                    .col(timestamp_with_time_zone_null(O::LeasedUntil))
                    .col(integer(O::ErasePasses))
                    .col(string_null(O::LastError))
                    .col(timestamp_with_time_zone(O::CreatedAt))
                    .foreign_key(
                        ForeignKey::create().from(outbox::Entity, O::PredictionId).to(prediction::Entity, P::Id),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(Index::create().name("outbox_by_due").table(outbox::Entity).col(O::DueAt).to_owned())
            .await?;

        use access_token::Column as T;
        manager
            .create_table(
                Table::create()
                    .table(access_token::Entity)
                    .col(string(T::TokenSha256).primary_key())
                    .col(string(T::Name).unique_key())
                    .col(string(Alias::new("role")))
                    .col(timestamp_with_time_zone(T::CreatedAt))
                    .to_owned(),
            )
            .await
    }
}
