//! What the numbers of the dashboard are called, and where each is explained.
//!
//! The text is `docs/statistics.md`, which the product shows at [`PAGE`]: one text for whoever reads the repository and
//! for whoever asks the page. Every name on the dashboard is a link to its heading there.

use leptos::prelude::*;

/// Where the explanations are.
pub(super) const PAGE: &str = "/dashboard/statistics";

macro_rules! terms {
    ($($term:ident $anchor:literal $name:literal,)*) => {
        /// A number of the dashboard.
        #[derive(Clone, Copy, Debug)]
        pub(super) enum Term {
            $(#[doc = $name] $term,)*
        }

        impl Term {
            /// Every number.
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$term),*];

            /// The heading of docs/statistics.md that explains it, as a part of an address.
            pub(super) fn anchor(self) -> &'static str {
                match self {
                    $(Self::$term => $anchor,)*
                }
            }

            /// What it is called on the page.
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$term => $name,)*
                }
            }
        }
    };
}

terms! {
    Accuracy "headline-accuracy" "Accuracy",
    Photos "photos-and-labels" "Photos",
    Labels "photos-and-labels" "Labels",
    RandomSample "random-sample-check" "Random sample alone",
    Difference "difference-estimate" "Corrected confidence",
    Expected "expected-accuracy" "Expected without labels",
    Pooled "what-the-tutorial-would-print" "What the tutorial would print",
    Offline "offline-figure-and-target" "Offline, of the model card",
    Target "offline-figure-and-target" "Target",
    Provisional "provisional-windows" "Provisional",
    Missing "missing-labels" "Missing labels",
    NotFood "not-food-and-unreadable" "Not food",
    Unreadable "not-food-and-unreadable" "Unreadable",
    OverTime "accuracy-over-time" "Accuracy over time",
    Precision "precision-recall-and-f1" "Precision",
    Recall "precision-recall-and-f1" "Recall",
    F1 "precision-recall-and-f1" "F1",
    MacroF1 "macro-f1" "Macro F1",
    TooSmall "n-too-small" "n too small",
    Confusion "confusion-matrix" "What is taken for what",
    Slices "slices" "Slice",
    Reliability "reliability-curve" "Is it right as often as it is sure?",
    Histogram "confidence-histogram" "How sure it is",
    CalibrationError "expected-calibration-error" "Expected calibration error",
    Brier "brier-score" "Brier score",
    LogLoss "log-loss" "Log loss",
    Funnel "labelling-funnel" "Labelling",
    Agreement "annotators-agreement" "Whether annotators agree",
    AnnotatorErrors "annotators-errors" "Accuracy, if people err",
    Suspects "suspect-labels" "Suspect labels",
    Planner "label-budget-planner" "What more labels would buy",
    DeviceAnswers "device-answers" "Photos that devices answered",
    DeviceDisagreement "device-disagreement" "Same version, another class",
    OtherVersions "device-disagreement" "Other version, another class",
    FlagRate "flag-rate" "Flagged",
    CorrectionRate "flag-rate" "Corrected",
    Accepted "accepted-without-complaint" "Accepted without complaint",
    FlagPrecision "flag-precision" "Flags that are right",
    FlagRecall "flag-recall" "Mistakes that are flagged",
    CorrectionPrecision "correction-precision" "Corrections that are right",
    Returning "returning-visitors" "Returning visitors",
    ClassMix "class-mix" "Which classes are answered",
    ConfidenceDrift "confidence-drift" "How confident answers are",
    EmbeddingDrift "embedding-drift" "What photos look like",
    DriftVerdict "drift-verdict" "Drift",
    Alarm "alarm" "Alarm",
    BadWindows "two-bad-windows" "Two bad windows",
    Decision "retrain-decision" "Retrain?",
    Outbox "photos-on-their-way" "Photos on their way to the store",
    Records "changes-on-their-way" "Changes on their way to the records",
    Uncounted "changes-not-counted-yet" "Changes not counted yet",
}

/// Its name as a link to what it means.
pub(super) fn term(term: Term) -> AnyView {
    named(term, term.name())
}

/// Another name for it, as a link to what it means.
pub(super) fn named(term: Term, name: &'static str) -> AnyView {
    let address = format!("{PAGE}#{}", term.anchor());
    view! { <a class="term" href=address rel="external">{name}</a> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::dashboard::statistics::headings;

    #[test]
    fn every_number_is_explained() {
        let headings = headings();
        for term in Term::ALL {
            assert!(
                headings.iter().any(|heading| heading == term.anchor()),
                "docs/statistics.md has no heading #{} for {:?}",
                term.anchor(),
                term.name()
            );
        }
    }
}
