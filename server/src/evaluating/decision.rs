//! Retrain? One rule, the same every day.

use gourmetgram_api::{Decision, Drift, DriftWord, Headline, Measure, PastDecision, Verdict, WindowPoint};
use gourmetgram_evaluation::{AccuracyAlarm, CompleteWindow, Probability, two_bad_windows};

use super::numbers::LEVEL;

/// What is watched besides the headline.
pub(super) struct Watched<'a> {
    /// The window's last days, whatever step was asked for: a verdict that changed with the step would be one that
    /// somebody can look for, and hours would give it 24 looks a day.
    pub days: &'a [WindowPoint],
    /// Labels of the random sample since the version went live, right
    pub random_right: u64,
    /// and wrong.
    pub random_wrong: u64,
    /// Drift's findings.
    pub drift: &'a Drift,
}

/// The verdict with its reasons.
pub(super) fn decide(headline: &Headline, watched: &Watched<'_>, history: Vec<PastDecision>) -> Decision {
    let rule = format!(
        "Retrain when the random sample's labels since the version went live prove accuracy below the target (an alarm that \
         is false once in 20 versions however often one looks), or when the last two complete days with {} labels or more \
         both show it below (false in about one look of a thousand). Watch when the window's estimate lies below the target \
         or its photos have drifted.",
        gourmetgram_api::ENOUGH_LABELS
    );
    let (verdict, reasons) = verdict(headline, watched);
    Decision { verdict, rule, reasons, history }
}

fn verdict(headline: &Headline, watched: &Watched<'_>) -> (Verdict, Vec<String>) {
    let mut reasons = Vec::new();
    let drifted = watched.drift.findings.iter().filter(|finding| finding.verdict == DriftWord::Drifted);
    let mut drifted: Vec<&str> = drifted.map(|finding| finding.what.as_str()).collect();
    drifted.dedup();
    for what in &drifted {
        let what = if *what == "class_mix" { "The mix of classes" } else { "Confidence" };
        reasons.push(format!("{what} is not what it was when the version began."));
    }
    let watch = if drifted.is_empty() { Verdict::Unknown } else { Verdict::Watch };
    let target = headline.target.and_then(|target| Probability::new(target).ok());
    let Some((target, mut alarm)) = target.and_then(|it| Some((it, AccuracyAlarm::new(it).ok()?))) else {
        reasons.push("No target is set (evaluation.target), so nothing can be below it.".to_owned());
        return (watch, reasons);
    };
    alarm.observe_many(watched.random_right, watched.random_wrong);
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    if alarm.is_raised(LEVEL) {
        reasons.insert(
            0,
            format!(
                "Of the random sample's {} labels since the version went live {} say that the answer was right: accuracy \
                 is proven to be below {}.",
                alarm.labels(),
                watched.random_right,
                percent(target.get())
            ),
        );
        return (Verdict::Retrain, reasons);
    }
    let complete = watched.days.iter().filter(|day| !day.provisional).filter_map(|day| {
        let Measure { value, upper, labels, photos, .. } = day.accuracy;
        Some(CompleteWindow { accuracy: value?, upper, labels, photos })
    });
    if two_bad_windows(&complete.collect::<Vec<_>>(), target, LEVEL) {
        let enough = gourmetgram_api::ENOUGH_LABELS;
        let said = format!(
            "The last two complete days with {enough} labels or more both lie below {}.",
            percent(target.get())
        );
        reasons.insert(0, said);
        return (Verdict::Retrain, reasons);
    }
    if !headline.accuracy.enough {
        reasons.push(format!(
            "The window has {} labels: too few to say more (it takes {}).",
            headline.accuracy.labels,
            gourmetgram_api::ENOUGH_LABELS
        ));
        return (watch, reasons);
    }
    match headline.accuracy.value {
        Some(value) if value < target.get() => {
            let shown = if headline.accuracy.upper < target.get() { "its interval too" } else { "its interval is not" };
            reasons.insert(
                0,
                format!("Accuracy is {}, below the target of {}; {shown}.", percent(value), percent(target.get())),
            );
            (Verdict::Watch, reasons)
        }
        Some(value) if drifted.is_empty() => {
            reasons.push(format!("Accuracy is {}, the target is {}.", percent(value), percent(target.get())));
            (Verdict::Keep, reasons)
        }
        _ => (watch, reasons),
    }
}

#[cfg(test)]
mod tests {
    use gourmetgram_api::{DriftFinding, MeasureMethod};

    use super::*;

    /// What `labels` labels say, the interval being five points to either side.
    fn measure(labels: u64, value: f64) -> Measure {
        Measure {
            value: (labels > 0).then_some(value),
            lower: if labels > 0 { value - 0.05 } else { 0.0 },
            upper: if labels > 0 { value + 0.05 } else { 1.0 },
            labels,
            photos: 1000,
            method: MeasureMethod::Poststratified,
            enough: labels >= gourmetgram_api::ENOUGH_LABELS,
        }
    }

    fn headline(accuracy: Measure, target: Option<f64>) -> Headline {
        Headline {
            accuracy,
            strata: Vec::new(),
            unlabelled: Vec::new(),
            provisional: false,
            photos: 1000,
            not_considered: 0,
            not_food: Measure::UNKNOWN,
            unreadable: Measure::UNKNOWN,
            nonresponse: None,
            check: Measure::UNKNOWN,
            difference: None,
            expected: None,
            tutorial_pooled: Measure::UNKNOWN,
            offline: None,
            target,
        }
    }

    /// Days in a row: accuracy, and whether labels of the day are still to come; a day without accuracy has no label.
    fn in_a_row(days: &[(Option<f64>, bool)]) -> Vec<WindowPoint> {
        let point = |(&(accuracy, provisional), day): (&(Option<f64>, bool), i64)| WindowPoint {
            from: chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(day),
            to: chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(day + 1),
            photos: 1000,
            accuracy: accuracy.map_or(Measure::UNKNOWN, |value| measure(40, value)),
            check: Measure::UNKNOWN,
            expected: None,
            provisional,
        };
        days.iter().zip(0..).map(point).collect()
    }

    fn drifted(what: &str) -> Drift {
        let finding = DriftFinding {
            what: what.to_owned(),
            test: "psi".to_owned(),
            effect: 0.4,
            effect_that_matters: 0.25,
            p_value: 1e-9,
            verdict: DriftWord::Drifted,
        };
        Drift { findings: vec![finding], ..Drift::default() }
    }

    /// What is decided, and why, with a target of 90 %.
    fn decided(accuracy: Measure, days: &[WindowPoint], random: (u64, u64), drift: &Drift) -> (Verdict, String) {
        let watched = Watched { days, random_right: random.0, random_wrong: random.1, drift };
        let Decision { verdict, reasons, .. } = decide(&headline(accuracy, Some(0.9)), &watched, Vec::new());
        (verdict, reasons.join(" "))
    }

    /// The headline; each point's upper bound and whether it is provisional; right and wrong labels of the random sample; drift;
    /// the verdict, and a part of its reasons.
    type Row<'a> = (Measure, &'a [(Option<f64>, bool)], (u64, u64), &'a Drift, Verdict, &'a str);

    #[test]
    fn the_rule_says_retrain_only_of_what_is_proven_and_watch_of_what_is_not() {
        use Verdict::{Keep, Retrain, Unknown, Watch};
        let (good, bad) = (Some(0.93), Some(0.8));
        let (fine, low) = (measure(400, 0.93), measure(400, 0.88));
        let (still, moved) = (Drift::default(), drifted("class_mix"));
        // Of which accuracy, after which days, with which labels of the random sample, with which drift: what, and why.
        let table: [Row<'_>; 16] = [
            (fine, &[], (93, 7), &still, Keep, "Accuracy is 93.0 %, the target is 90.0 %."),
            (measure(400, 0.9), &[], (90, 10), &still, Keep, "the target is 90.0 %"),
            (low, &[], (88, 12), &still, Watch, "Accuracy is 88.0 %, below the target of 90.0 %; its interval is not."),
            (measure(400, 0.8), &[], (88, 12), &still, Watch, "its interval too"),
            (fine, &[], (93, 7), &moved, Watch, "The mix of classes is not what it was"),
            (fine, &[], (93, 7), &drifted("confidence"), Watch, "Confidence is not what it was"),
            // The alarm: proof, whatever the window says.
            (
                fine,
                &[],
                (60, 40),
                &still,
                Retrain,
                "Of the random sample's 100 labels since the version went live 60 say",
            ),
            (measure(0, 0.0), &[], (60, 40), &still, Retrain, "accuracy is proven to be below 90.0 %"),
            // Two bad windows.
            (
                fine,
                &[(good, false), (bad, false), (bad, false)],
                (93, 7),
                &still,
                Retrain,
                "The last two complete days",
            ),
            (fine, &[(bad, false), (bad, false), (good, false)], (93, 7), &still, Keep, ""),
            (fine, &[(bad, false), (good, false), (bad, false)], (93, 7), &still, Keep, ""),
            (fine, &[(bad, false)], (93, 7), &still, Keep, ""),
            // A provisional one between or behind them counts for nothing, nor does one without a label.
            (
                fine,
                &[(bad, false), (good, true), (bad, false), (None, false)],
                (93, 7),
                &still,
                Retrain,
                "both lie below",
            ),
            (fine, &[(good, false), (bad, false), (bad, true)], (93, 7), &still, Keep, ""),
            // Too few labels, which is no reason to be calm about drift.
            (
                measure(29, 0.5),
                &[],
                (5, 1),
                &still,
                Unknown,
                "The window has 29 labels: too few to say more (it takes 30).",
            ),
            (measure(29, 0.5), &[], (5, 1), &moved, Watch, "too few"),
        ];
        for (row, (accuracy, days, random, drift, verdict, why)) in table.into_iter().enumerate() {
            let (found, reasons) = decided(accuracy, &in_a_row(days), random, drift);
            assert_eq!(found, verdict, "row {row}: {reasons}");
            assert!(reasons.contains(why), "row {row}: {reasons}");
        }
    }

    #[test]
    fn without_a_target_nothing_is_below_it_and_what_was_said_before_is_told() {
        let drift = Drift::default();
        let watched = Watched { days: &[], random_right: 0, random_wrong: 500, drift: &drift };
        let past = PastDecision {
            number: 1,
            computed_at: chrono::DateTime::UNIX_EPOCH,
            verdict: Verdict::Keep,
            accuracy: measure(400, 0.93),
        };
        let decision = decide(&headline(measure(400, 0.1), None), &watched, vec![past.clone()]);
        assert_eq!(decision.verdict, Verdict::Unknown);
        assert!(decision.reasons[0].contains("evaluation.target"), "{:?}", decision.reasons);
        assert_eq!(decision.history, [past]);
        assert!(decision.rule.contains("complete days with 30 labels"), "{}", decision.rule);
    }

    #[test]
    fn a_day_with_few_labels_or_few_photos_is_no_bad_day() {
        let still = Drift::default();
        let verdict = |days: &[Measure]| {
            let mut points = in_a_row(&vec![(None, false); days.len()]);
            for (point, accuracy) in points.iter_mut().zip(days) {
                point.accuracy = *accuracy;
            }
            decided(measure(400, 0.93), &points, (93, 7), &still).0
        };
        let (bad, few) = (measure(40, 0.8), measure(29, 0.2));
        assert_eq!(verdict(&[bad, bad]), Verdict::Retrain);
        assert_eq!(verdict(&[measure(30, 0.8), bad]), Verdict::Retrain, "thirty are enough");
        assert_eq!(verdict(&[few, few]), Verdict::Keep);
        assert_eq!(verdict(&[measure(1, 0.0), measure(1, 0.0)]), Verdict::Keep, "one wrong label is no bad day");
        assert_eq!(verdict(&[bad, few]), Verdict::Keep, "one bad day is no two");
        assert_eq!(verdict(&[bad, measure(29, 1.0), bad]), Verdict::Retrain, "what is too few ends no row either");
        // All of a day's 40 photos were labelled: exact about them, and a fine model has such days.
        let every = |value| Measure {
            lower: value,
            upper: value,
            photos: 40,
            method: MeasureMethod::Census,
            ..measure(40, value)
        };
        assert_eq!(verdict(&[every(0.85), every(0.85)]), Verdict::Keep);
        assert_eq!(verdict(&[every(0.5), every(0.5)]), Verdict::Retrain);
    }
}
