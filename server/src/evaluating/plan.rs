//! What a label budget buys, and where to spend it.

use gourmetgram_api::{LabelPlan, PlanPoint, PlannedStratum};
use gourmetgram_evaluation::{expected_half_width, neyman_allocation, planned_strata};

use super::{
    EvaluationError,
    counts::Counts,
    numbers::{LEVEL, correctness, stratum},
};

/// Budgets that the curve shows, as far as there are photos for them.
const BUDGETS: [u64; 10] = [0, 25, 50, 100, 200, 400, 800, 1600, 3200, 6400];
/// The budget that is spread over the strata.
const USUAL_BUDGET: u64 = 200;

/// The planner's curve and its allocation.
pub(super) fn plan(counts: &Counts) -> Result<LabelPlan, EvaluationError> {
    let strata = planned_strata(&correctness(counts)?);
    let left: u64 = strata.iter().map(|it| it.size - it.labelled).sum();
    if strata.is_empty() {
        return Ok(LabelPlan::default());
    }
    let point = |labels: u64| PlanPoint {
        labels,
        half_width: expected_half_width(&strata, &neyman_allocation(&strata, labels), LEVEL),
    };
    let mut budgets: Vec<u64> = BUDGETS.into_iter().filter(|budget| *budget < left).collect();
    // All that are left, where that is within the curve.
    budgets.extend(BUDGETS.last().filter(|most| left <= **most).map(|_| left));
    let budget = USUAL_BUDGET.min(left);
    let allocation = neyman_allocation(&strata, budget);
    Ok(LabelPlan {
        curve: budgets.into_iter().map(point).collect(),
        budget,
        allocation: strata
            .iter()
            .zip(allocation)
            .map(|(it, labels)| PlannedStratum {
                stratum: stratum(it.stratum),
                photos: it.size,
                labelled: it.labelled,
                accuracy: it.accuracy,
                labels,
            })
            .collect(),
    })
}
