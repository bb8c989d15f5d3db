//! How accurate the model really is: from counts in the catalog to the numbers of `gourmetgram_evaluation`.

mod window;

use gourmetgram_api::{
    Calibration, Confusion, Decision, Drift, Evaluation, EvaluationQuery, FeedbackFigures, Funnel, Headline, LabelPlan,
    Measure, UnusableEvaluation, Verdict,
};

use crate::{app::App, catalog::{CatalogError, now}};

/// Why there is no evaluation.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// A question that has no answer.
    #[error(transparent)]
    Unusable(#[from] UnusableEvaluation),
    /// A model version nobody knows.
    #[error("no model version {0:?} has ever served here: GET /api/v1/evaluation without model tells which have")]
    NoModel(String),
    /// The catalog does not answer.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Counts that cannot be.
    #[error("the counts behind the evaluation contradict each other: {0}")]
    Inconsistent(String),
}

/// How accurate a model was in a window.
///
/// # Errors
/// [`EvaluationError`] says what was wrong with the question, or with us.
pub async fn evaluate(app: &App, query: &EvaluationQuery) -> Result<Evaluation, EvaluationError> {
    let computed_at = now();
    let window = window::of(query, None, computed_at)?;
    let live = app.live_model();
    Ok(Evaluation {
        computed_at,
        window,
        model: live.version,
        classes: live.classes.into(),
        models: Vec::new(),
        campaign: None,
        headline: Headline {
            accuracy: Measure::UNKNOWN,
            strata: Vec::new(),
            unlabelled: Vec::new(),
            provisional: true,
            photos: 0,
            not_considered: 0,
            not_food: Measure::UNKNOWN,
            unreadable: Measure::UNKNOWN,
            nonresponse: None,
            check: Measure::UNKNOWN,
            difference: None,
            expected: None,
            tutorial_pooled: Measure::UNKNOWN,
            offline: None,
            target: None,
        },
        series: Vec::new(),
        per_class: Vec::new(),
        confusion: Confusion::default(),
        calibration: Calibration::default(),
        confidence: Vec::new(),
        traffic: Vec::new(),
        drift: Drift::default(),
        feedback: FeedbackFigures {
            photos: 0,
            flagged: 0,
            corrected: 0,
            complained: 0,
            flag_rate: None,
            correction_rate: None,
            accepted_rate: None,
            flag_precision: Measure::UNKNOWN,
            flag_recall: Measure::UNKNOWN,
            correction_precision: Measure::UNKNOWN,
            visitors: None,
        },
        funnel: Funnel::default(),
        plan: LabelPlan::default(),
        decision: Decision {
            verdict: Verdict::Unknown,
            rule: String::new(),
            reasons: Vec::new(),
            history: Vec::new(),
        },
        slices: None,
        uncounted: 0,
        manifest: String::new(),
    })
}
