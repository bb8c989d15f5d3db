//! Carries a plan out: sends every photo when it is due, reads the answer, and says what its visitor thinks of it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, SecondsFormat, Utc};
use gourmetgram_api::{Classes, LiveModel, NewPrediction, Prediction, PredictionId, Problem, ProblemKind};
use reqwest::{Method, multipart};
use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::{
    people::{Step, react},
    plan::{Plan, Visit},
    progress::Progress,
    report::{Latency, Report},
    server::{Server, Trouble},
    source::Source,
};
use crate::{catalog::Change, replay::Truth};

/// How simulated time becomes real time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Photos are sent when they are due, and are of the time at which they are sent.
    Live,
    /// Photos are of the simulated time, which runs so many times faster than a clock; without a number, as fast as
    /// the server answers.
    Past(Option<f64>),
}

/// What every task of a run shares.
struct Run {
    plan: Arc<Plan>,
    source: Arc<Source>,
    server: Arc<Server>,
    model: LiveModel,
    pace: Pace,
    start: DateTime<Utc>,
    begun: Instant,
    at_once: Arc<Semaphore>,
    stop: CancellationToken,
    progress: Progress,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    report: Report,
    uploads: Vec<Duration>,
    feedback: Vec<Duration>,
    /// Whether something was left undone because the run was stopped.
    stopped: bool,
    /// Why nothing more is to be tried.
    fatal: Option<Trouble>,
}

/// Runs `plan` from `start` against `server`, with so many requests at once. Ends early when `stop` is cancelled: what
/// is under way is finished then. An error says why nothing of it could work.
#[expect(clippy::too_many_arguments, reason = "everything a run needs, once")]
pub async fn run(
    plan: Arc<Plan>,
    source: Arc<Source>,
    server: Arc<Server>,
    model: LiveModel,
    (pace, start): (Pace, DateTime<Utc>),
    concurrency: usize,
    progress: Progress,
    stop: CancellationToken,
) -> Result<Report, Trouble> {
    let run = Arc::new(Run {
        plan,
        source,
        server,
        model,
        pace,
        start,
        begun: Instant::now(),
        at_once: Arc::new(Semaphore::new(concurrency.max(1))),
        stop,
        progress,
        tally: Mutex::default(),
    });
    let mut visits = JoinSet::new();
    for number in 0..run.plan.visits.len() {
        let due = run.due(run.plan.time(&run.plan.visits[number], start));
        tokio::select! {
            () = run.stop.cancelled() => break,
            () = tokio::time::sleep_until(due.into()) => {}
        }
        // The place is taken before the task is made, so that a slow server holds the plan up and not the memory.
        let Ok(place) = Arc::clone(&run.at_once).acquire_owned().await else { break };
        run.tally(|tally| {
            let behind = due.elapsed().as_secs_f64();
            if run.pace != Pace::Past(None) {
                tally.report.behind_seconds = tally.report.behind_seconds.max(behind);
            }
        });
        let task = Arc::clone(&run);
        visits.spawn(async move {
            task.visit(&task.plan.visits[number], place).await;
            task.progress.step();
        });
        while visits.try_join_next().is_some() {}
    }
    while visits.join_next().await.is_some() {}
    run.progress.finish();
    let Some(run) = Arc::into_inner(run) else { return Err(Trouble::Stopped) };
    run.into_report()
}

impl Run {
    /// When a simulated time comes, by the clock.
    fn due(&self, simulated: DateTime<Utc>) -> Instant {
        let passed = (simulated - self.start).to_std().unwrap_or_default();
        match self.pace {
            // An earlier run may have begun before this one.
            Pace::Live => Instant::now() + (simulated - Utc::now()).to_std().unwrap_or_default(),
            Pace::Past(None) => self.begun,
            Pace::Past(Some(speedup)) => self.begun + passed.div_f64(speedup.max(1e-3)),
        }
    }

    fn tally<T>(&self, change: impl FnOnce(&mut Tally) -> T) -> T {
        change(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn visit(&self, visit: &Visit, place: tokio::sync::OwnedSemaphorePermit) {
        let at = self.plan.time(visit, self.start);
        let Some(id) = self.plan.id(visit, self.start) else { return };
        let visitor = self.plan.key.visitor_token(visit.visitor, self.server.token());
        let answer = self.upload(visit, id, at, &visitor).await;
        drop(place);
        let (answer, replayed) = match answer {
            Ok(answer) => answer,
            Err(trouble) => return self.failed(&trouble),
        };
        let truth = self.source.truth(visit.picture);
        self.note_answer(truth, &answer, replayed);
        let shares = &self.plan.traffic.shares;
        let mut steps = react(&visit.mood, shares, truth, &answer.predicted_class, &self.model.classes);
        if replayed && !steps.is_empty() {
            match self.said_before(id, &visitor).await {
                Ok(said) => steps.drain(..said.min(steps.len())),
                Err(trouble) => return self.failed(&trouble),
            };
        }
        for step in steps {
            if let Err(trouble) = self.say(id, at, &visitor, &step, truth).await {
                return self.failed(&trouble);
            }
        }
    }

    async fn upload(
        &self,
        visit: &Visit,
        id: PredictionId,
        at: DateTime<Utc>,
        visitor: &str,
    ) -> Result<(NewPrediction, bool), Trouble> {
        let photo = match self.source.read(visit.picture, self.model.limits.max_bytes).await {
            Ok(photo) => photo,
            Err(unreadable) => {
                let problem = Problem::new(ProblemKind::NotAPicture, unreadable.to_string());
                return Err(Trouble::Refused(Box::new(problem)));
            }
        };
        let request = || {
            let part = multipart::Part::stream_with_length(photo.clone(), photo.len() as u64).file_name("photo");
            let mut form = multipart::Form::new()
                .text("id", id.to_string())
                .text("source", self.plan.key.source())
                .part("image", part);
            if self.pace != Pace::Live {
                form = form.text("created_at", written(at));
            }
            self.server.request(Method::POST, "", visitor).multipart(form)
        };
        let (response, took) = self.server.send(&self.stop, request).await?;
        let replayed = response.headers().contains_key("idempotency-replayed");
        let answer = response.json().await.map_err(|error| Trouble::GaveUp {
            seconds: took.as_secs(),
            why: format!("an answer was cut off ({error})"),
        })?;
        self.tally(|tally| tally.uploads.push(took));
        Ok((answer, replayed))
    }

    /// How much of what this visitor says is on record from an earlier run.
    async fn said_before(&self, id: PredictionId, visitor: &str) -> Result<usize, Trouble> {
        let path = format!("/{id}");
        let place = self.place().await?;
        let seen: Prediction =
            self.server.read(&self.stop, || self.server.request(Method::GET, &path, visitor)).await?;
        drop(place);
        Ok(seen.history.iter().filter(|step| step.by == "visitor").count())
    }

    async fn say(
        &self,
        id: PredictionId,
        seen_at: DateTime<Utc>,
        visitor: &str,
        step: &Step,
        truth: Truth,
    ) -> Result<(), Trouble> {
        let at = seen_at + chrono::TimeDelta::milliseconds(step.after);
        tokio::select! {
            () = self.stop.cancelled() => return Err(Trouble::Stopped),
            () = tokio::time::sleep_until(self.due(at).into()) => {}
        }
        let _place = self.place().await?;
        let (method, path, body) = match &step.change {
            Change::Flag(reason) => (Method::PUT, "flag", Some(json!({ "reason": reason }))),
            Change::Unflag => (Method::DELETE, "flag", None),
            Change::Correct(label) => (Method::PUT, "correction", Some(json!({ "label": label }))),
            Change::Uncorrect => (Method::DELETE, "correction", None),
        };
        let path = format!("/{id}/{path}");
        let request = || {
            let mut request = self.server.request(method.clone(), &path, visitor);
            if self.pace != Pace::Live {
                request = request.header("gourmetgram-created-at", written(at.min(Utc::now())));
            }
            match &body {
                Some(body) => request.json(body),
                None => request,
            }
        };
        let (_, took) = self.server.send(&self.stop, request).await?;
        self.tally(|tally| {
            tally.feedback.push(took);
            match &step.change {
                Change::Flag(_) => tally.report.flagged += 1,
                Change::Unflag => tally.report.taken_back += 1,
                Change::Correct(label) => {
                    tally.report.corrected += 1;
                    let is_right = class_label(truth, &self.model.classes) == Some(label.as_str());
                    tally.report.corrected_wrongly += usize::from(!is_right);
                }
                Change::Uncorrect => {}
            }
        });
        Ok(())
    }

    async fn place(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Trouble> {
        self.at_once.acquire().await.map_err(|_| Trouble::Stopped)
    }

    fn note_answer(&self, truth: Truth, answer: &NewPrediction, replayed: bool) {
        self.tally(|tally| {
            let report = &mut tally.report;
            if replayed {
                report.already_there += 1;
            } else {
                report.sent += 1;
            }
            if let Some(label) = class_label(truth, &self.model.classes) {
                let right = answer.predicted_class == label;
                report.agreement.count(right);
                report.classes.entry(label.to_owned()).or_default().count(right);
            }
        });
    }

    fn failed(&self, trouble: &Trouble) {
        let mut fatal = false;
        self.tally(|tally| match trouble {
            Trouble::Stopped => tally.stopped = true,
            Trouble::GaveUp { why, .. } => *tally.report.failed.entry(why.clone()).or_default() += 1,
            Trouble::Refused(problem) => match problem.kind {
                ProblemKind::Unauthenticated | ProblemKind::Forbidden => {
                    fatal = true;
                    tally.fatal.get_or_insert_with(|| trouble.clone());
                }
                ProblemKind::Internal => *tally.report.failed.entry(problem.detail.clone()).or_default() += 1,
                _ => *tally.report.refused.entry(problem.detail.clone()).or_default() += 1,
            },
        });
        if fatal {
            self.stop.cancel();
        }
    }

    fn into_report(self) -> Result<Report, Trouble> {
        let Tally { mut report, uploads, feedback, stopped, fatal } =
            self.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(fatal) = fatal {
            return Err(fatal);
        }
        report.source = self.plan.key.source();
        report.photos = self.plan.visits.len();
        report.from = self.plan.visits.first().map(|first| self.plan.time(first, self.start));
        report.to = self.plan.visits.last().map(|last| self.plan.time(last, self.start));
        report.seconds = self.begun.elapsed().as_secs_f64();
        report.photos_per_second = report.sent as f64 / report.seconds.max(1e-9);
        report.upload = Latency::of(uploads);
        report.feedback = Latency::of(feedback);
        let accounted = report.sent + report.already_there + report.refused.values().sum::<usize>() + report.failures();
        report.interrupted = stopped || accounted < report.photos;
        Ok(report)
    }
}

fn class_label(truth: Truth, classes: &Classes) -> Option<&str> {
    match truth {
        Truth::Class(index) => classes.label(index),
        Truth::NotFood | Truth::Unknown => None,
    }
}

/// A time as the API reads it.
fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
