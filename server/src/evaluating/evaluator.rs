//! Puts an evaluation together: reads counts, computes, fills in what the API answers.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram_api::{
    EvaluatedWindow, Evaluation, EvaluationCampaign, EvaluationQuery, Funnel, Headline, ModelPeriod, OfflineAccuracy,
    PastDecision, PublishedEvaluation, SeriesStep, SliceBy, Slices, SuspectLabels, Takeover, WindowPoint,
};
use uuid::Uuid;

use super::{
    EvaluationError, Manifest, RecordsState, Reference, Traffic, agreement, classes, decision,
    decision::Watched,
    drift::drift,
    manifest::MANIFEST_SCHEMA,
    numbers, plan, slices,
    suspects::{CHUNK, Suspects},
    takeovers::takeovers,
    window::{self, next, start_of},
};
use crate::{
    catalog::{Catalog, CountedPeriod, EvaluationDesign, ServedModel},
    config,
    evaluating::Counts,
};

/// Hours that somebody who asks helps to count.
const HELP: usize = 48;
/// Results of before that are told of.
const HISTORY: u64 = 20;
/// Days at the window's end that the decision looks at.
const DAYS_JUDGED: i64 = 60;

/// The model that answers now.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveVersion {
    /// Its version.
    pub version: String,
    /// Its classes, in order.
    pub classes: Vec<String>,
    /// What its card says of its accuracy.
    pub offline: Option<OfflineAccuracy>,
}

/// Computes evaluations.
#[derive(Clone, Debug)]
pub struct Evaluator<'a> {
    /// Of this catalog.
    pub catalog: &'a Catalog,
    /// By these settings.
    pub settings: &'a config::Evaluation,
    /// With this model in service.
    pub live: LiveVersion,
}

/// What is computed of a window before it is put together.
struct Read {
    window: EvaluatedWindow,
    design: EvaluationDesign,
    model: String,
    models: Vec<ServedModel>,
    periods: Vec<CountedPeriod>,
    all: Counts,
    reference: Option<Reference>,
}

impl Evaluator<'_> {
    /// How accurate a model was in a window, as of `at`.
    ///
    /// # Errors
    /// [`EvaluationError`] says what was wrong with the question, or with us.
    pub async fn evaluate(&self, query: &EvaluationQuery, at: DateTime<Utc>) -> Result<Evaluation, EvaluationError> {
        let read = self.read(query, at).await?;
        self.put_together(query, &read, at).await
    }

    /// The same, with what it takes to compute it again. `records` is how far they are.
    ///
    /// # Errors
    /// Like [`Evaluator::evaluate`].
    pub async fn evaluate_with_manifest(
        &self,
        query: &EvaluationQuery,
        records: RecordsState,
        at: DateTime<Utc>,
    ) -> Result<(Evaluation, Manifest), EvaluationError> {
        let read = self.read(query, at).await?;
        let evaluation = self.put_together(query, &read, at).await?;
        let manifest = Manifest {
            schema: MANIFEST_SCHEMA,
            how: "gourmetgram evaluate --from records --manifest FILE, where FILE is this; see docs/records.md"
                .to_owned(),
            computed_at: at,
            query: EvaluationQuery { slice: query.slice, ..spelled_out(&evaluation) },
            campaign: evaluation.campaign.as_ref().map(|campaign| campaign.id),
            live: self.live.version.clone(),
            offline: self.live.offline.clone(),
            target: self.settings.target,
            provisional_days: self.settings.provisional_days,
            reference: read.reference,
            records,
            accuracy: evaluation.headline.accuracy,
            check: evaluation.headline.check,
        };
        Ok((evaluation, manifest))
    }

    /// The labels of a window that the model contradicts most.
    ///
    /// # Errors
    /// Like [`Evaluator::evaluate`].
    pub async fn suspects(&self, query: &EvaluationQuery, at: DateTime<Utc>) -> Result<SuspectLabels, EvaluationError> {
        let Read { window, model, design, all, .. } = self.read(query, at).await?;
        let wrong = all.sum(|cell| cell.classed - cell.right);
        let mut suspects = Suspects::default();
        if let Some(campaign) = design.campaign() {
            let times = (window.from, window.to);
            let mut after = 0;
            loop {
                let labels = self.catalog.contradicted_labels(campaign.id, &model, times, (after, CHUNK)).await?;
                let is_last = (labels.len() as u64) < CHUNK;
                if !suspects.look_at(labels) || is_last {
                    break;
                }
                after += CHUNK;
            }
        }
        Ok(SuspectLabels { window, model, contradicted: wrong, items: suspects.into_labels() })
    }

    async fn read(&self, query: &EvaluationQuery, at: DateTime<Utc>) -> Result<Read, EvaluationError> {
        query.check()?;
        let named = self.settings.campaign.as_deref();
        self.catalog.count_evaluations(named, HELP, at).await?;
        let models = self.catalog.served_models().await?;
        let model = query.model.clone().unwrap_or_else(|| self.live.version.clone());
        let served = models.iter().find(|served| served.version == model);
        if served.is_none() && model != self.live.version {
            return Err(EvaluationError::NoModel(model));
        }
        let window = window::of(query, served.map(|served| served.first), at)?;
        let runs = window::runs(window.step, window.from, window.to);
        let periods = self.catalog.evaluation_counts(&model, &runs).await?;
        let mut all = Counts::default();
        for period in &periods {
            all.merge(&period.counts);
        }
        let reference = self.catalog.drift_reference(&model).await?;
        let design = self.catalog.evaluation_design(named).await?;
        Ok(Read { window, design, model, models, periods, all: all.without_batches(), reference })
    }

    async fn put_together(
        &self,
        query: &EvaluationQuery,
        read: &Read,
        at: DateTime<Utc>,
    ) -> Result<Evaluation, EvaluationError> {
        let Read { window, design, model, models, periods, all, reference } = read;
        let known = self.catalog.classes_of(model).await?;
        let known = if known.is_empty() && *model == self.live.version { self.live.classes.clone() } else { known };
        let classes = classes::complete(known, all);
        let later = self.later_than_reference(read).await?;
        let drift = drift(reference.as_ref(), &later);
        let headline = self.headline(all, window, model, at)?;
        let series = self.series(periods, window, at)?;
        let (per_class, macro_f1) = classes::per_class(&classes, all)?;
        let history = self.catalog.published_evaluations(model, at, HISTORY).await?;
        let served = models.iter().find(|served| served.version == *model);
        let days = self.judged_days(read, &series, at).await?;
        let watched = Watched {
            days: &days,
            random_right: served.map_or(0, |served| served.random_right),
            random_wrong: served.map_or(0, |served| served.random_wrong),
            drift: &drift,
        };
        let decision = decision::decide(&headline, &watched, history.into_iter().map(past).collect());
        let slices = match query.slice {
            Some(by) => Some(self.slices(by, read, &classes).await?),
            None => None,
        };
        let mut evaluation = Evaluation {
            computed_at: at,
            window: window.clone(),
            model: model.clone(),
            models: models.iter().map(|served| self.period(served)).collect(),
            takeovers: self.takeovers(read).await?,
            campaign: design.campaign().map(|row| EvaluationCampaign {
                id: row.id,
                name: row.name.clone(),
                archived: row.archived_at.is_some(),
            }),
            campaign_trouble: match design {
                EvaluationDesign::Unusable(why) => Some(why.clone()),
                _ => None,
            },
            confusion: classes::confusion(&classes, all, (&per_class, macro_f1))?,
            calibration: classes::calibration(all)?,
            confidence: classes::histogram(&all.traffic, reference.as_ref().map(|it| &it.traffic)),
            traffic: classes::traffic(&classes, &all.traffic, reference.as_ref().map(|it| &it.traffic)),
            devices: numbers::devices(all),
            feedback: numbers::feedback(all)?,
            funnel: self.funnel(all, at).await?,
            agreement: agreement::agreement(all, classes.len(), &headline.accuracy),
            plan: plan::plan(all)?,
            uncounted: self.catalog.evaluation_marks().await?,
            classes,
            headline,
            series,
            per_class,
            drift,
            decision,
            slices,
            manifest: String::new(),
        };
        let asked = serde_urlencoded::to_string(spelled_out(&evaluation)).unwrap_or_default();
        evaluation.manifest = format!("/api/v1/evaluation/manifest?{asked}");
        Ok(evaluation)
    }

    fn headline(
        &self,
        counts: &Counts,
        window: &EvaluatedWindow,
        model: &str,
        at: DateTime<Utc>,
    ) -> Result<Headline, EvaluationError> {
        let accuracy = numbers::accuracy(counts)?;
        let (strata, unlabelled) = numbers::responses(&accuracy);
        Ok(Headline {
            accuracy: numbers::measure(&accuracy),
            strata,
            unlabelled,
            provisional: self.is_provisional(counts, window.to, at),
            photos: counts.traffic.photos,
            not_considered: counts.traffic.photos - counts.traffic.considered,
            not_food: numbers::not_food(counts)?,
            unreadable: numbers::unreadable(counts)?,
            nonresponse: numbers::nonresponse(counts)?,
            check: numbers::check(counts)?,
            difference: numbers::difference(counts)?,
            expected: numbers::expected(counts),
            tutorial_pooled: numbers::tutorial_pooled(counts),
            offline: self.live.offline.clone().filter(|_| model == self.live.version),
            target: self.settings.target,
        })
    }

    /// Whether labels may still come, or photos be considered. After a while those that did not come will not.
    fn is_provisional(&self, counts: &Counts, end: DateTime<Utc>, at: DateTime<Utc>) -> bool {
        let settled = end + TimeDelta::days(i64::from(self.settings.provisional_days)) <= at;
        let waits = counts.sum(|cell| cell.drawn) > counts.sum(|cell| cell.labelled);
        !settled && (waits || counts.traffic.photos > counts.traffic.considered)
    }

    fn series(
        &self,
        periods: &[CountedPeriod],
        window: &EvaluatedWindow,
        at: DateTime<Utc>,
    ) -> Result<Vec<WindowPoint>, EvaluationError> {
        let mut points: BTreeMap<DateTime<Utc>, Counts> = BTreeMap::new();
        for period in periods {
            points.entry(start_of(window.step, period.start)).or_default().merge(&period.counts);
        }
        let with_photos = points.into_iter().filter(|(_, counts)| counts.traffic.photos > 0);
        with_photos
            .map(|(start, counts)| {
                let counts = counts.without_batches();
                let (from, to) = (start.max(window.from), next(window.step, start).min(window.to));
                Ok(WindowPoint {
                    from,
                    to,
                    photos: counts.traffic.photos,
                    accuracy: numbers::measure(&numbers::accuracy(&counts)?),
                    check: numbers::check(&counts)?,
                    expected: numbers::expected(&counts),
                    provisional: to > at || self.is_provisional(&counts, to, at),
                })
            })
            .collect()
    }

    /// When another version took over within the window; where one alone answered there is nothing to look at.
    async fn takeovers(&self, read: &Read) -> Result<Vec<Takeover>, EvaluationError> {
        let EvaluatedWindow { from, to, step, .. } = read.window;
        if read.models.iter().filter(|served| served.first < to && from < served.last).count() < 2 {
            return Ok(Vec::new());
        }
        let photos = self.catalog.photos_by_model(&window::runs(step, from, to)).await?;
        let found = takeovers(photos, step, &read.models);
        Ok(found.into_iter().map(|it| Takeover { at: it.at.max(from), ..it }).collect())
    }

    /// The window's last days, which are the same whatever step the series has: for hours and days they are made of what
    /// was read for it.
    async fn judged_days(
        &self,
        read: &Read,
        series: &[WindowPoint],
        at: DateTime<Utc>,
    ) -> Result<Vec<WindowPoint>, EvaluationError> {
        let EvaluatedWindow { from, to, step, .. } = read.window;
        let first = from.max(start_of(SeriesStep::Day, to) - TimeDelta::days(DAYS_JUDGED));
        let window = EvaluatedWindow { step: SeriesStep::Day, ..read.window.clone() };
        let mut days = match step {
            SeriesStep::Day => series.to_vec(),
            SeriesStep::Hour => self.series(&read.periods, &window, at)?,
            SeriesStep::Month => {
                let runs = window::runs(SeriesStep::Day, first, to);
                self.series(&self.catalog.evaluation_counts(&read.model, &runs).await?, &window, at)?
            }
        };
        days.retain(|day| day.from >= first);
        Ok(days)
    }

    /// The window's photos that came after the reference.
    async fn later_than_reference(&self, read: &Read) -> Result<Traffic, EvaluationError> {
        let Read { window, model, all, reference, .. } = read;
        let Some(reference) = reference else { return Ok(Traffic::default()) };
        if reference.to <= window.from {
            return Ok(all.traffic.clone());
        }
        let runs = window::runs(window.step, reference.to, window.to);
        let mut later = Traffic::default();
        for period in self.catalog.evaluation_counts(model, &runs).await? {
            later.merge(&period.counts.traffic);
        }
        Ok(later)
    }

    async fn funnel(&self, counts: &Counts, at: DateTime<Utc>) -> Result<Funnel, EvaluationError> {
        let waiting = self.catalog.waiting_labels().await?;
        Ok(Funnel {
            photos: counts.traffic.photos,
            considered: counts.traffic.considered,
            drawn: counts.sum(|cell| cell.drawn),
            labelled: counts.sum(|cell| cell.labelled),
            classed: counts.sum(|cell| cell.classed),
            not_food: counts.sum(|cell| cell.not_food),
            unreadable: counts.sum(|cell| cell.unreadable),
            backlog: waiting.tasks,
            oldest_seconds: waiting.since.map(|since| (at - since).num_seconds().max(0).unsigned_abs()),
        })
    }

    async fn slices(&self, by: SliceBy, read: &Read, classes: &[String]) -> Result<Slices, EvaluationError> {
        if by == SliceBy::Model {
            return self.versions(read).await;
        }
        let campaign: Option<Uuid> = read.design.campaign().map(|row| row.id);
        let facts = self.catalog.evaluation_facts(campaign, &read.model, read.window.from, read.window.to).await?;
        match facts {
            Some(facts) => slices::slices(by, &facts, classes),
            None => Ok(Slices { by, items: Vec::new(), too_many: true }),
        }
    }

    /// Every version that answered photos of the window: each has counts of its own.
    async fn versions(&self, read: &Read) -> Result<Slices, EvaluationError> {
        let runs = window::runs(read.window.step, read.window.from, read.window.to);
        let mut items = Vec::new();
        for served in &read.models {
            let mut counts = Counts::default();
            for period in self.catalog.evaluation_counts(&served.version, &runs).await? {
                counts.merge(&period.counts);
            }
            if counts.traffic.photos > 0 {
                items.push(slices::slice(served.version.clone(), counts)?);
            }
        }
        Ok(Slices { by: SliceBy::Model, items, too_many: false })
    }

    fn period(&self, served: &ServedModel) -> ModelPeriod {
        ModelPeriod {
            version: served.version.clone(),
            first: served.first,
            last: served.last,
            photos: served.photos,
            live: served.version == self.live.version,
        }
    }
}

fn past(published: PublishedEvaluation) -> PastDecision {
    let PublishedEvaluation { number, computed_at, verdict, accuracy, .. } = published;
    PastDecision { number, computed_at, verdict, accuracy }
}

/// The question that has this answer whenever it is asked.
fn spelled_out(evaluation: &Evaluation) -> EvaluationQuery {
    let EvaluatedWindow { from, to, step, .. } = evaluation.window;
    EvaluationQuery {
        from: Some(from),
        to: Some(to),
        window: None,
        model: Some(evaluation.model.clone()),
        step: Some(step),
        slice: None,
    }
}

/// What a model's manifest says of its accuracy.
pub fn offline_accuracy(manifest: &gourmetgram_classifier::Manifest) -> Option<OfflineAccuracy> {
    let told = manifest.accuracy.as_ref()?;
    Some(OfflineAccuracy { value: told.value, on: told.on.clone(), photos: told.photos })
}

/// What is published of an evaluation; its number is given by the catalog.
pub fn to_publish(evaluation: &Evaluation) -> PublishedEvaluation {
    PublishedEvaluation {
        number: 0,
        computed_at: evaluation.computed_at,
        from: evaluation.window.from,
        to: evaluation.window.to,
        model: evaluation.model.clone(),
        accuracy: evaluation.headline.accuracy,
        check: evaluation.headline.check,
        verdict: evaluation.decision.verdict,
    }
}
