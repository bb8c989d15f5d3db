//! How accurate the model really is: from counts in the catalog to the numbers of `gourmetgram_evaluation`.
//!
//! The catalog keeps [`Counts`] by hour, day and month ([`crate::catalog`]); an [`Evaluator`] adds up as few of them as cover a
//! window and computes everything from the sum, so what an evaluation costs follows the length of its series and not the
//! number of photos. Nothing here knows how the photos came to be counted: counts that were made from the photos themselves,
//! or from the records, give the same digits.

mod agreement;
mod classes;
mod counts;
mod decision;
mod drift;
mod evaluator;
mod fact;
mod manifest;
mod numbers;
mod pairs;
mod plan;
pub mod report;
mod slices;
mod suspects;
mod takeovers;
mod window;
mod worker;

use gourmetgram_api::UnusableEvaluation;

pub use counts::{BINS, BinCounts, CellCounts, CellKey, Counts, PARTS, PairKey, Traffic, Waiting};
pub use drift::{REFERENCE_PHOTOS, Reference};
pub use evaluator::{Evaluator, LiveVersion, offline_accuracy, to_publish};
pub use fact::{Considered, Fact, Task};
pub use manifest::{MANIFEST_SCHEMA, Manifest, RecordsState};
pub use window::{MOST_POINTS, next, runs, start_of};
pub use worker::{audited, manifest, records_state, run, tell};

use crate::catalog::CatalogError;

/// Why there is no evaluation.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// A question that has no answer.
    #[error(transparent)]
    Unusable(#[from] UnusableEvaluation),
    /// A model version nobody knows.
    #[error(
        "no model version {0:?} has ever served here: without model it is the live one, and its answer names the others"
    )]
    NoModel(String),
    /// The catalog does not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Counts that cannot be.
    #[error("the counts behind the evaluation contradict each other: {0}")]
    Inconsistent(String),
}
