//! An evaluation as lines of text, columns separated by tabs.

use std::fmt::Write;

use gourmetgram_api::{DriftWord, Evaluation};

use super::{headline, optional, percent, told, told_errors, told_kappa};

/// Everything that fits a terminal.
pub fn text(evaluation: &Evaluation) -> String {
    let mut text = String::new();
    let Evaluation { headline: top, window, .. } = evaluation;
    let mut line = |words: String| {
        let _ = writeln!(text, "{words}");
    };
    line(headline(evaluation));
    line(format!("photos\t{} from {} up to {}", top.photos, window.from.to_rfc3339(), window.to.to_rfc3339()));
    match (&evaluation.campaign, &evaluation.campaign_trouble) {
        (Some(campaign), _) => line(format!("labels of\t{}", campaign.name)),
        (None, Some(trouble)) => line(format!("no labels\t{trouble}")),
        (None, None) => line(
            "no labels\tthere is no blind campaign with a random sample yet: gourmetgram campaign create --preset continuous"
                .to_owned(),
        ),
    }
    line(format!("method\t{}", top.accuracy.method));
    if top.provisional {
        line("provisional\tlabels may still come, or photos be considered".to_owned());
    }
    line(format!("not considered\t{}", top.not_considered));
    for stratum in &top.strata {
        line(format!(
            "{}\t{} photos, {} drawn, {} labelled",
            stratum.stratum, stratum.photos, stratum.drawn, stratum.labelled
        ));
    }
    for stratum in &top.unlabelled {
        line(format!("no label at all\t{stratum}: it widens the interval by its share"));
    }
    line(format!("random sample alone\t{}", told(&top.check)));
    if let Some(difference) = &top.difference {
        line(format!("difference estimator\t{}", told(difference)));
    }
    line(format!("expected without labels\t{}", optional(top.expected.map(|it| it.value))));
    line(format!("what the tutorial would print\t{}", told(&top.tutorial_pooled)));
    if let Some(offline) = &top.offline {
        line(format!("offline, by its card\t{} ({} photos: {})", percent(offline.value), offline.photos, offline.on));
    }
    line(format!("target\t{}", optional(top.target)));
    line(format!("not food\t{}", told(&top.not_food)));
    line(format!("unreadable\t{}", told(&top.unreadable)));
    line(String::new());
    line("class\tprecision\trecall\tF1".to_owned());
    for class in &evaluation.per_class {
        line(format!("{}\t{}\t{}\t{}", class.class, told(&class.precision), told(&class.recall), told(&class.f1)));
    }
    line(String::new());
    let calibration = &evaluation.calibration;
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
    let small = if calibration.enough { "" } else { ", n too small" };
    let rests = format!("n = {} labels{small}", calibration.labels);
    line(format!("calibration error\t{}, {rests}", number(calibration.expected_error)));
    line(format!("Brier score\t{}, {rests}", number(calibration.brier)));
    line(format!("log loss\t{}, {rests}", number(calibration.log_loss)));
    let small = if evaluation.confusion.macro_f1_enough { "" } else { ", n too small" };
    line(format!("macro F1\t{}{small}", optional(evaluation.confusion.macro_f1)));
    line(format!("annotators' agreement (Fleiss' kappa)\t{}", told_kappa(&evaluation.agreement.fleiss)));
    if let Some(errors) = &evaluation.agreement.errors {
        line(format!("accuracy, if people err\t{}", told_errors(errors)));
    }
    for pair in &evaluation.agreement.pairs {
        line(format!("Cohen's kappa of {} and {}\t{}", pair.first, pair.second, told_kappa(&pair.kappa)));
    }
    for finding in &evaluation.drift.findings {
        let verdict = match finding.verdict {
            DriftWord::TooFew => "too few photos",
            DriftWord::Stable => "stable",
            DriftWord::Negligible => "real, and too small to matter",
            DriftWord::Drifted => "drifted",
        };
        line(format!("drift of {} by {}\t{:.3}\t{verdict}", finding.what, finding.test, finding.effect));
    }
    for missing in &evaluation.drift.not_tested {
        line(format!("drift of {}\tnot tested: {}", missing.what, missing.why));
    }
    for slice in evaluation.slices.iter().flat_map(|slices| &slices.items) {
        // Real photos, or those without any tag.
        let name = if slice.name.is_empty() { "–" } else { &slice.name };
        line(format!("slice {name}\t{} photos\t{}", slice.photos, told(&slice.accuracy)));
    }
    line(String::new());
    line(format!("retrain?\t{}", evaluation.decision.verdict.as_str()));
    for reason in &evaluation.decision.reasons {
        line(format!("\t{reason}"));
    }
    text
}
