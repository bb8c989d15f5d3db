//! Counts what has changed soon after it has, sets the gauges that Prometheus reads, and publishes results by schedule.

use std::time::Duration;

use chrono::TimeDelta;
use gourmetgram_api::{Drift, DriftWord, Evaluation, EvaluationQuery, EvaluationWindow, SeriesStep};
use metrics::gauge;
use tokio_util::sync::CancellationToken;

use super::{EvaluationError, Manifest, RecordsState, drift::TESTS, evaluator::to_publish, window::start_of};
use crate::{
    app::App,
    catalog::{Catalog, CatalogError, PAUSE, now},
    records,
};

/// How often changes are counted: pages and the API count by themselves before they answer.
const COUNT_EVERY: Duration = Duration::from_secs(10);
/// How often the gauges are set.
const GAUGES_EVERY: Duration = Duration::from_secs(60);
/// Hours that are counted before something else is looked at.
const HOURS_AT_ONCE: usize = 240;

/// Works until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    let named = app.settings().evaluation.campaign.as_deref();
    let mut gauges_at = tokio::time::Instant::now();
    let mut unusable = None;
    loop {
        if let Some(named) = named {
            warn_once(&app, named, &mut unusable).await;
        }
        let all_counted = match app.catalog().count_evaluations(named, HOURS_AT_ONCE, now()).await {
            Ok(all_counted) => all_counted,
            Err(error) => {
                tracing::warn!(%error, "what an evaluation reads cannot be counted yet");
                true
            }
        };
        if tokio::time::Instant::now() >= gauges_at {
            gauges_at = tokio::time::Instant::now() + GAUGES_EVERY;
            if let Err(error) = tell(&app).await {
                tracing::warn!(%error, "the evaluation cannot be computed; its gauges stay as they were");
            }
        }
        let wait = if all_counted { COUNT_EVERY } else { PAUSE };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Says why the campaign that the settings name cannot be used, where that is not what was found last.
async fn warn_once(app: &App, named: &str, last: &mut Option<String>) {
    // What keeps the catalog from answering is told by the count that follows.
    let Ok(found) = app.catalog().unusable_design(named).await else { return };
    if let Some(why) = news(last, found) {
        tracing::warn!(why, "there is no campaign to evaluate by");
    }
}

/// Why the campaign cannot be used, where that is not what was found last. From now on, `last` is what was found.
fn news(last: &mut Option<String>, found: Option<String>) -> Option<&str> {
    let is_new = *last != found;
    *last = found;
    last.as_deref().filter(|_| is_new)
}

/// Sets the gauges, and publishes where it is time.
///
/// # Errors
/// What keeps the evaluation from being computed.
pub async fn tell(app: &App) -> Result<(), EvaluationError> {
    let query = EvaluationQuery { window: Some(EvaluationWindow::Week), ..EvaluationQuery::default() };
    let evaluation = app.evaluator().evaluate(&query, now()).await?;
    set_gauges(&evaluation);
    publish(app).await
}

/// Gauges of the live model over the last seven days. A number that nobody knows is no number: NaN, as Prometheus has it.
fn set_gauges(evaluation: &Evaluation) {
    let headline = &evaluation.headline;
    let unknown = f64::NAN;
    let accuracy = headline.accuracy.value.filter(|_| headline.accuracy.enough);
    gauge!("gourmetgram_accuracy").set(accuracy.unwrap_or(unknown));
    gauge!("gourmetgram_accuracy_lower").set(headline.accuracy.lower);
    gauge!("gourmetgram_accuracy_upper").set(headline.accuracy.upper);
    gauge!("gourmetgram_accuracy_labels").set(headline.accuracy.labels as f64);
    gauge!("gourmetgram_accuracy_photos").set(headline.photos as f64);
    gauge!("gourmetgram_accuracy_target").set(headline.target.unwrap_or(unknown));
    gauge!("gourmetgram_accuracy_expected").set(headline.expected.map_or(unknown, |expected| expected.value));
    gauge!("gourmetgram_label_backlog").set(evaluation.funnel.backlog as f64);
    gauge!("gourmetgram_label_oldest_seconds").set(evaluation.funnel.oldest_seconds.unwrap_or(0) as f64);
    gauge!("gourmetgram_retrain")
        .set(f64::from(u8::from(evaluation.decision.verdict == gourmetgram_api::Verdict::Retrain)));
    set_drift_gauges(&evaluation.drift);
}

/// Gauges of every test there is, also of those that say nothing now: a gauge keeps what it was set to, and after a
/// rollback, or where no photos come any more, a 1 of last week would keep its alert firing for ever.
fn set_drift_gauges(drift: &Drift) {
    for (what, test) in TESTS {
        let found = drift.findings.iter().find(|finding| finding.what == what && finding.test == test);
        let drifted = found.is_some_and(|finding| finding.verdict == DriftWord::Drifted);
        let labels = [("what", what), ("test", test)];
        gauge!("gourmetgram_drift_effect", &labels).set(found.map_or(f64::NAN, |finding| finding.effect));
        gauge!("gourmetgram_drift", &labels).set(f64::from(u8::from(drifted)));
    }
}

/// Publishes the last thirty days up to the last full hour, where the last result is old enough.
async fn publish(app: &App) -> Result<(), EvaluationError> {
    let hours = app.settings().evaluation.publish_every_hours;
    let at = now();
    let since = at - TimeDelta::hours(i64::from(hours));
    let last = app.catalog().last_published(&app.evaluator().live.version).await?;
    if hours == 0 || last.is_some_and(|last| last > since) {
        return Ok(());
    }
    let to = start_of(SeriesStep::Hour, at);
    let query = EvaluationQuery { from: Some(to - TimeDelta::days(30)), to: Some(to), ..EvaluationQuery::default() };
    if app.evaluator().evaluate(&query, at).await?.headline.photos == 0 {
        return Ok(());
    }
    let (evaluation, manifest) = audited(app, &query).await?;
    if evaluation.uncounted > 0 || manifest.records.waiting > 0 {
        // The next look tries again.
        tracing::debug!(waiting = manifest.records.waiting, "not everything the evaluation rests on is in the records");
        return Ok(());
    }
    app.catalog().publish_evaluation(&to_publish(&evaluation), &manifest, since).await?;
    Ok(())
}

/// An evaluation with the manifest it can be computed by, to be published. What has changed is written to the records first;
/// where the numbers are the same before and after that, the records say all that they rest on, whatever else has changed
/// meanwhile.
///
/// # Errors
/// Like [`Evaluator::evaluate`](super::Evaluator::evaluate). That the records cannot be written is none: the manifest says so.
pub async fn audited(app: &App, query: &EvaluationQuery) -> Result<(Evaluation, Manifest), EvaluationError> {
    let at = now();
    let before = app.evaluator().evaluate(query, at).await?;
    if let Err(error) = records::step(app).await {
        // The records' own writer warns.
        tracing::debug!(%error, "the records cannot be written; a manifest says that they do not have everything");
    }
    let state = records_state(app.catalog()).await?;
    let is_written = app.catalog().records_to_write().await?.is_empty();
    let (evaluation, mut manifest) = app.evaluator().evaluate_with_manifest(query, state, at).await?;
    let same = before.headline == evaluation.headline
        && before.confusion == evaluation.confusion
        && before.calibration == evaluation.calibration
        && before.traffic == evaluation.traffic
        && before.feedback == evaluation.feedback
        && before.agreement == evaluation.agreement;
    let waiting = &mut manifest.records.waiting;
    *waiting = if is_written && same { 0 } else { (*waiting).max(1) };
    Ok((evaluation, manifest))
}

/// The manifest that an evaluation can be computed by, for somebody who asks: nothing is written for it. Where changes wait to
/// be written, or one came while we looked, it says that the records do not have everything; the digits may be the same all
/// the same, since most changes are of other photos than those of the window.
///
/// # Errors
/// Like [`Evaluator::evaluate`](super::Evaluator::evaluate).
pub async fn manifest(app: &App, query: &EvaluationQuery) -> Result<Manifest, EvaluationError> {
    let before = records_state(app.catalog()).await?;
    let (evaluation, mut manifest) = app.evaluator().evaluate_with_manifest(query, before.clone(), now()).await?;
    let is_written = app.catalog().records_to_write().await?.is_empty();
    let after = records_state(app.catalog()).await?;
    if before != after || !is_written || evaluation.uncounted > 0 {
        manifest.records.waiting = after.waiting.max(before.waiting).max(1);
    }
    Ok(manifest)
}

/// How far the records are.
pub async fn records_state(catalog: &Catalog) -> Result<RecordsState, CatalogError> {
    let waiting = catalog.records_waiting().await?;
    let log = catalog.records_log().await?;
    Ok(RecordsState { log: log.log, last_number: log.last_number, waiting })
}

#[cfg(test)]
mod tests {
    use axum_prometheus::metrics_exporter_prometheus::PrometheusBuilder;
    use gourmetgram_api::DriftFinding;

    use super::*;

    #[test]
    fn why_the_campaign_cannot_be_used_is_told_once_until_it_changes() {
        let (none, shown) = (Some("there is no campaign"), Some("the campaign shows the model's answer"));
        let mut last = None;
        for (found, told) in [
            (None, None),
            (none, none),
            (none, None),
            (None, None),
            (none, none),
            (shown, shown),
            (shown, None),
            (none, none),
        ] {
            assert_eq!(news(&mut last, found.map(str::to_owned)), told);
        }
    }

    #[test]
    fn drift_that_is_no_more_does_not_keep_its_alert() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let told = |drift: &Drift| -> Vec<String> {
            metrics::with_local_recorder(&recorder, || set_drift_gauges(drift));
            let text = recorder.handle().render();
            let drift = text.lines().filter(|line| line.starts_with("gourmetgram_drift{"));
            drift.map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect()
        };
        let finding = |(what, test): (&str, &str)| DriftFinding {
            what: what.to_owned(),
            test: test.to_owned(),
            effect: 0.4,
            effect_that_matters: 0.25,
            p_value: 1e-9,
            verdict: DriftWord::Drifted,
        };
        let drifted = Drift { findings: TESTS.map(finding).to_vec(), ..Drift::default() };
        assert_eq!(told(&drifted), ["1"; 4]);
        let half = Drift { findings: vec![finding(TESTS[1])], ..Drift::default() };
        let mut told_of_half = told(&half);
        told_of_half.sort();
        assert_eq!(told_of_half, ["0", "0", "0", "1"]);
        // Without photos, or with a version that has no reference yet, nothing is found.
        assert_eq!(told(&Drift::default()), ["0"; 4]);
        let effects = recorder.handle().render();
        assert_eq!(effects.lines().filter(|line| line.contains("_effect{") && line.ends_with(" NaN")).count(), 4);
    }
}
