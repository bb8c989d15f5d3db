//! Retrain? One rule, which may be looked at every day.

use gourmetgram_api::{Decision, Drift, DriftWord, Headline, PastDecision, Verdict, WindowPoint};
use gourmetgram_evaluation::{AccuracyAlarm, Probability};

use super::numbers::LEVEL;

/// What is watched besides the headline.
pub(super) struct Watched<'a> {
    /// Of the points over time the last ones count.
    pub series: &'a [WindowPoint],
    /// Labels of the random sample since the version went live, right
    pub random_right: u64,
    /// and wrong.
    pub random_wrong: u64,
    /// Drift's findings.
    pub drift: &'a Drift,
    /// What a point of the series is called.
    pub step: &'static str,
}

/// The verdict with its reasons.
pub(super) fn decide(headline: &Headline, watched: &Watched<'_>, history: Vec<PastDecision>) -> Decision {
    let step = watched.step;
    let rule = format!(
        "Retrain when the random sample's labels since the version went live prove accuracy below the target (an alarm that \
         is false once in 20 versions however often one looks), or when the last two complete points ({step}) both lie \
         wholly below it. Watch when the window's estimate lies below the target or its photos have drifted."
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
    let mut complete = watched.series.iter().filter(|point| !point.provisional && point.accuracy.value.is_some());
    let last = (complete.next_back(), complete.next_back());
    if let (Some(last), Some(before)) = last
        && [last, before].iter().all(|point| point.accuracy.upper < target.get())
    {
        reasons.insert(0, format!("The last two complete points both lie wholly below {}.", percent(target.get())));
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
