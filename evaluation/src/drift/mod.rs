//! Is what the model sees still what it saw? Tests against a frozen reference of the same model version.
//!
//! A p-value follows the sample size: with enough photos any difference is "significant". So a verdict needs three
//! things at once ([`verdict()`]): enough photos, an effect that matters, and significance after correction for the number
//! of tests ([`benjamini_hochberg`]).

mod categories;
mod kolmogorov_smirnov;
mod mean_discrepancy;
mod verdict;

pub use categories::{ChiSquare, CountsError, chi_square, population_stability_index};
pub use kolmogorov_smirnov::{KolmogorovSmirnov, kolmogorov_smirnov, kolmogorov_smirnov_binned};
pub use mean_discrepancy::{DiscrepancyError, MeanDiscrepancy, mean_discrepancy};
pub use verdict::{DriftTest, DriftThresholds, DriftVerdict, benjamini_hochberg, verdict};
