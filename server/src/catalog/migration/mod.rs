//! The catalog's schema, as steps that run once each, in order, at start: one file a step.
//!
//! A step that has been released is never edited; a change is a new step.

mod m001_predictions;
mod m002_accounts;
mod m003_explore;
mod m004_replay;
mod m005_labelling;
mod m006_runs;
mod m007_collections;
pub(super) mod m008_records;
pub(super) mod m009_evaluation;
pub(super) mod m010_collections_recorded;
mod m011_devices;
mod m012_takeovers;

use sea_orm_migration::prelude::*;

/// All steps.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m001_predictions::Step),
            Box::new(m002_accounts::Step),
            Box::new(m003_explore::Step),
            Box::new(m004_replay::Step),
            Box::new(m005_labelling::Step),
            Box::new(m006_runs::Step),
            Box::new(m007_collections::Step),
            Box::new(m008_records::Step),
            Box::new(m009_evaluation::Step),
            Box::new(m010_collections_recorded::Step),
            Box::new(m011_devices::Step),
            Box::new(m012_takeovers::Step),
        ]
    }
}
