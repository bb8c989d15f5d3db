//! What is counted as photos, labels and erasures come is what a look at every row would have found; and what is said of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    panic::AssertUnwindSafe,
};

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram::{
    accounts::Scope,
    app::App,
    catalog::{
        Actor, Change, RemoteChanges, Said, Whose,
        entity::{
            annotation, batch, campaign as campaigns, draw, evaluation_count, evaluation_mark, evaluation_result,
            prediction, selection, task,
        },
        now,
    },
    config,
    evaluating::{self, Counts, Evaluator, LiveVersion, Manifest, RecordsState, to_publish},
    records,
};
use gourmetgram_api::{
    CampaignRule, ClassIndex, ClassProbability, Confidence, Evaluation, EvaluationQuery, FlagReason, LabelledIn,
    LowConfidence, Measure, MeasureMethod, NewCampaign, PredictionQuery, RandomDraw, Returning, Seen, SeriesStep,
    SliceBy, SuspectLabels, Verdict,
};
use gourmetgram_evaluation::{
    BatchId, Cell, ClassReport, ConfidenceLevel, ConfusionMatrix, Estimate, GuessMean, InclusionProbability,
    LabelledPrediction, Outcome, Probability, Selection, Stratum, Window, accuracy, brier, cohen_kappa,
    correction_precision, difference_accuracy, expected_accuracy, flag_precision, flag_recall, fleiss, log_loss,
    nonresponse_bounds, outcome_share, random_sample_accuracy, tutorial_pooled,
};
use gourmetgram_label_studio::{AnnotationId, collect::Standing};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, Statement,
};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::{
    evaluation_parts::compare_calibration,
    on_both_databases,
    photos::{CLASSES, asked, campaign, interval, minute, received},
    support::{BuiltApp, Database, TestApp, problem},
};

pub const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE;

pub async fn build(database: Database) -> BuiltApp {
    BuiltApp::build(database, |settings| {
        settings.s3.endpoint = Some("http://127.0.0.1:1".to_owned());
        settings.s3.access_key_id = Some("key".to_owned());
        settings.s3.secret_access_key = Some("secret".to_owned().into());
    })
    .await
}

pub fn continuous(random: RandomDraw, cap: Option<u64>) -> CampaignRule {
    CampaignRule::Continuous {
        unsure: LowConfidence::default(),
        low_confidence_at_most: cap,
        flagged_at_most: None,
        corrected_at_most: cap,
        random,
    }
}

pub async fn connect(app: &App) -> DatabaseConnection {
    sea_orm::Database::connect(app.settings().catalog_url().expose_secret()).await.unwrap()
}

/// The live model of these tests, whatever the application serves.
fn evaluator<'a>(app: &'a App, settings: &'a config::Evaluation) -> Evaluator<'a> {
    let classes = CLASSES.map(str::to_owned).to_vec();
    let live = LiveVersion { version: "food64-1".to_owned(), classes, offline: None };
    Evaluator { catalog: app.catalog(), settings, live }
}

pub async fn evaluate(app: &App, query: &EvaluationQuery, at: DateTime<Utc>) -> Evaluation {
    evaluator(app, &config::Evaluation::default()).evaluate(query, at).await.unwrap()
}

/// A service to which things happen by chance.
pub struct Life<'a> {
    app: &'a App,
    random: StdRng,
    photos: Vec<gourmetgram_api::PredictionId>,
    received: u64,
    campaigns: Vec<Uuid>,
    connection: DatabaseConnection,
}

impl<'a> Life<'a> {
    /// Nothing has happened yet. A campaign that is named twice selects twice as often.
    pub fn new(app: &'a App, seed: u64, campaigns: Vec<Uuid>, connection: DatabaseConnection) -> Self {
        Self { app, random: StdRng::seed_from_u64(seed), photos: Vec::new(), received: 0, campaigns, connection }
    }

    fn one_of<'t, T>(random: &mut StdRng, of: &'t [T]) -> Option<&'t T> {
        (!of.is_empty()).then(|| &of[random.random_range(0..of.len())])
    }

    async fn receive(&mut self) {
        let at = minute(self.random.random_range(0..2400));
        for _ in 0..self.random.random_range(1..8) {
            let confidence = self.random.random_range(0.34_f32..1.0);
            let class = self.random.random_range(0..CLASSES.len());
            self.received += 1;
            let mut photo = received(at, self.received, confidence);
            photo.class_index = ClassIndex(class as u16);
            photo.predicted_class = CLASSES[class].to_owned();
            photo.source = (!self.received.is_multiple_of(3)).then(|| format!("camera {}", self.received % 3));
            photo.model_version = if self.random.random_bool(0.7) { "food64-1" } else { "other-2" }.to_owned();
            let visitor = self.random.random_range(0..12);
            // Some have no cookie.
            photo.owner.visitor = (visitor < 10).then(|| format!("visitor-{visitor}"));
            photo.probabilities = CLASSES
                .iter()
                .enumerate()
                .map(|(index, label)| ClassProbability {
                    label: (*label).to_owned(),
                    probability: if index == class { confidence } else { (1.0 - confidence) / 2.0 },
                })
                .collect();
            self.app.catalog().record(&photo, None, Some(Utc::now() + TimeDelta::hours(1))).await.unwrap();
            // One in twenty is never acknowledged.
            if self.random.random_bool(0.95) {
                self.app.catalog().mark_stored(photo.id).await.unwrap();
                self.photos.push(photo.id);
            }
        }
    }

    async fn feedback(&mut self) {
        let Some(id) = Self::one_of(&mut self.random, &self.photos).copied() else { return };
        let change = match self.random.random_range(0..4) {
            0 | 1 => Change::Flag(FlagReason::WrongLabel),
            2 => Change::Unflag,
            _ => Change::Correct(CLASSES[self.random.random_range(0..3)].to_owned()),
        };
        // Of an erased one there is nothing to say.
        let _ = self.app.catalog().give_feedback(id, &change, Actor::Visitor).await;
    }

    async fn select(&mut self) {
        let Some(campaign) = Self::one_of(&mut self.random, &self.campaigns).copied() else { return };
        let from = self.random.random_range(0..2400);
        let to = from + self.random.random_range(60..1200);
        let _ = self.app.catalog().select(campaign, interval(from, to), false).await.unwrap();
    }

    async fn annotate(&mut self) {
        let tasks = task::Entity::find().all(&self.connection).await.unwrap();
        for _ in 0..self.random.random_range(1..20) {
            let Some(task) = Self::one_of(&mut self.random, &tasks) else { return };
            let photo =
                prediction::Entity::find_by_id(task.prediction_id).one(&self.connection).await.unwrap().unwrap();
            let seen = match self.random.random_range(0..20) {
                0 => Seen::NotFood,
                1 => Seen::Unreadable,
                2..=5 => Seen::Class { label: CLASSES[self.random.random_range(0..3)].to_owned() },
                _ => Seen::Class { label: photo.predicted_class },
            };
            let annotator = if self.random.random_bool(0.8) { "ann" } else { "bob" };
            let said = Said { annotator, seen: &seen, through: LabelledIn::Review, took_ms: None, at: now() };
            let _ = self.app.catalog().annotate(task.id, &said).await;
        }
    }

    async fn take_back(&mut self) {
        let standing = annotation::Entity::find().filter(annotation::Column::ReplacedAt.is_null());
        let standing = standing.all(&self.connection).await.unwrap();
        if let Some(row) = Self::one_of(&mut self.random, &standing) {
            let _ = self.app.catalog().take_back(row.id).await;
        }
    }

    async fn erase(&mut self) {
        if let Some(id) = Self::one_of(&mut self.random, &self.photos).copied() {
            self.app.catalog().erase(id).await.unwrap();
        }
    }

    /// Something does.
    pub async fn happen(&mut self) {
        match self.random.random_range(0..100) {
            0..35 => self.receive().await,
            35..50 => self.feedback().await,
            50..65 => self.select().await,
            65..88 => self.annotate().await,
            88..92 => self.take_back().await,
            92..96 => self.erase().await,
            _ => {
                self.app.catalog().count_evaluations(None, 3, minute(5000)).await.unwrap();
            }
        }
    }
}

/// Two people's labels of one photo, in the order of their names.
pub type Pair = [(String, Seen); 2];

/// What every row says of the photos of a model that were received in a stretch of time.
pub struct Found {
    /// Of the photos that two people labelled.
    pub pairs: Vec<Pair>,
    /// Tasks that wait for a label, of photos of any model and time.
    pub waiting: u64,
    pub window: Window,
    pub photos: Vec<prediction::Model>,
    /// Of the photos that were considered: stratum and confidence.
    pub considered: Vec<(Stratum, f32)>,
    /// Every batch has a photo of the stratum that tells its random sample's rate.
    pub tells_rates: bool,
}

/// Reads it anew, by another way than the server does.
pub async fn look_at_every_row(
    connection: &DatabaseConnection,
    campaign: Uuid,
    model: &str,
    times: (DateTime<Utc>, DateTime<Utc>),
) -> Found {
    look_at_rows(connection, campaign, model, times, |_| true).await
}

/// The same of some photos alone.
pub async fn look_at_rows(
    connection: &DatabaseConnection,
    campaign: Uuid,
    model: &str,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    of: impl Fn(&prediction::Model) -> bool,
) -> Found {
    let photos: Vec<prediction::Model> = prediction::Entity::find().all(connection).await.unwrap();
    let photos: Vec<prediction::Model> = photos
        .into_iter()
        .filter(|row| row.model_version == model && (from..to).contains(&row.created_at))
        .filter(|row| row.stored_at.is_some() || row.spool_file.is_some() || row.erased_at.is_some())
        .filter(of)
        .collect();
    let selections = selection::Entity::find().filter(selection::Column::CampaignId.eq(campaign));
    let selections: HashMap<Uuid, selection::Model> =
        selections.all(connection).await.unwrap().into_iter().map(|row| (row.prediction_id, row)).collect();
    let tasks = task::Entity::find().filter(task::Column::CampaignId.eq(campaign)).all(connection).await.unwrap();
    let waiting = tasks.iter().filter(|task| task.closed_at.is_none()).count() as u64;
    let tasks: HashMap<Uuid, task::Model> = tasks.into_iter().map(|row| (row.prediction_id, row)).collect();
    let mut votes: HashMap<Uuid, Vec<annotation::Model>> = HashMap::new();
    let standing = annotation::Entity::find().filter(annotation::Column::ReplacedAt.is_null());
    for row in standing.all(connection).await.unwrap() {
        votes.entry(row.task_id).or_default().push(row);
    }
    let index = |label: &str| ClassIndex(CLASSES.iter().position(|class| *class == label).unwrap() as u16);
    let (mut cells, mut labels, mut considered, mut pairs) = (BTreeMap::new(), Vec::new(), Vec::new(), Vec::new());
    for photo in &photos {
        let Some(selection) = selections.get(&photo.id) else { continue };
        let stratum = Stratum::ALL[selection.stratum as usize];
        let inclusion = InclusionProbability::new(selection.inclusion).unwrap();
        let batch = BatchId(selection.batch_id as u64);
        considered.push((stratum, photo.confidence));
        let cell = cells.entry((batch, stratum)).or_insert(Cell { batch, stratum, inclusion, size: 0, selected: 0 });
        cell.size += 1;
        cell.selected += u64::from(selection.chosen);
        let Some(votes) = tasks.get(&photo.id).and_then(|task| votes.get(&task.id)) else { continue };
        if votes.len() >= 2 {
            let mut first: Vec<&annotation::Model> = votes.iter().collect();
            first.sort_by_key(|vote| vote.id);
            let mut pair = [first[0], first[1]]
                .map(|vote| (vote.annotator.clone(), serde_json::from_value::<Seen>(vote.seen.clone()).unwrap()));
            pair.sort();
            pairs.push(pair);
        }
        // Most votes; of a tie the latest.
        let best = votes
            .iter()
            .max_by_key(|vote| {
                let alike = votes.iter().filter(|other| other.seen == vote.seen);
                (alike.clone().count(), alike.map(|other| (other.at, other.id)).max(), vote.at, vote.id)
            })
            .unwrap();
        let outcome = match serde_json::from_value(best.seen.clone()).unwrap() {
            Seen::Class { label } => Outcome::Class(index(&label)),
            Seen::NotFood => Outcome::NotFood,
            Seen::Unreadable => Outcome::Unreadable,
        };
        let prediction = photo.id.try_into().unwrap();
        let size = selection.stratum_size as u64;
        labels.push(LabelledPrediction {
            selection: Selection::new(prediction, batch, stratum, inclusion, size, selection.by_random_sample).unwrap(),
            predicted: index(&photo.predicted_class),
            confidence: Confidence::new(photo.confidence).unwrap(),
            flagged: selection.flag.is_some(),
            correction: selection.corrected_class.as_deref().map(index),
            outcome,
        });
    }
    let cells: Vec<Cell> = cells.into_values().collect();
    let tells_rates = cells
        .iter()
        .all(|cell| cells.iter().any(|other| other.batch == cell.batch && other.stratum == Stratum::Others));
    Found { pairs, waiting, window: Window::new(cells, labels).unwrap(), photos, considered, tells_rates }
}

#[track_caller]
pub fn near(what: &str, found: Option<f64>, expected: Option<f64>) {
    match (found, expected) {
        (None, None) => {}
        (Some(found), Some(expected)) if (found - expected).abs() < 1e-8 => {}
        _ => panic!("{what}: {found:?} instead of {expected:?}"),
    }
}

#[track_caller]
pub fn same(what: &str, measure: &Measure, estimate: &Estimate) {
    near(what, measure.value, estimate.value);
    near(what, Some(measure.lower), Some(estimate.interval.lower()));
    near(what, Some(measure.upper), Some(estimate.interval.upper()));
    assert_eq!((measure.labels, measure.photos), (estimate.labelled, estimate.population), "{what}");
}

/// Compares an evaluation with what the rows say. Answers how many labels there were.
fn compare(evaluation: &Evaluation, found: &Found) -> u64 {
    let Found { pairs, waiting, window, photos, considered, tells_rates } = found;
    let headline = &evaluation.headline;
    assert_eq!(headline.photos, photos.len() as u64);
    assert_eq!(headline.photos - headline.not_considered, window.population());
    same("accuracy", &headline.accuracy, &accuracy(window, LEVEL));
    same("not food", &headline.not_food, &outcome_share(window, Outcome::NotFood, LEVEL));
    same("unreadable", &headline.unreadable, &outcome_share(window, Outcome::Unreadable, LEVEL));
    same("pooled", &headline.tutorial_pooled, &tutorial_pooled(window, LEVEL));
    if *tells_rates {
        same("random sample", &headline.check, &random_sample_accuracy(window, LEVEL));
    }
    if headline.nonresponse.is_some() {
        let bounds = nonresponse_bounds(window);
        near("non-response", headline.nonresponse.map(|it| it.lower), bounds.map(|it| it.lower()));
        near("non-response", headline.nonresponse.map(|it| it.upper), bounds.map(|it| it.upper()));
    }
    let means: Vec<GuessMean> = Stratum::ALL
        .into_iter()
        .filter_map(|stratum| {
            let own: Vec<f64> = considered
                .iter()
                .filter(|(of, _)| *of == stratum)
                .map(|(_, confidence)| f64::from(*confidence))
                .collect();
            (!own.is_empty()).then(|| GuessMean { stratum, mean: own.iter().sum::<f64>() / own.len() as f64 })
        })
        .collect();
    let difference = difference_accuracy(window, &means, |label| f64::from(label.confidence.get()), LEVEL);
    assert_eq!(headline.difference.is_some(), difference.is_some());
    if let Some((measure, estimate)) = headline.difference.zip(difference) {
        near("difference", measure.value, estimate.value);
        // Of a spread near nothing the root magnifies what was rounded.
        assert!((measure.lower - estimate.interval.lower()).abs() < 1e-4, "{measure:?} {estimate:?}");
        assert!((measure.upper - estimate.interval.upper()).abs() < 1e-4, "{measure:?} {estimate:?}");
    }
    let confidences = photos.iter().map(|row| Probability::new(f64::from(row.confidence)).unwrap());
    let expected = expected_accuracy(confidences);
    near("expected", headline.expected.map(|it| it.value), expected.map(|it| it.value));
    near("expected", headline.expected.map(|it| it.deviation), expected.map(|it| it.standard_deviation));

    assert_eq!(evaluation.classes, CLASSES);
    let matrix = ConfusionMatrix::of(window, CLASSES.len()).unwrap();
    for (class, index) in evaluation.per_class.iter().zip(0..) {
        let report = ClassReport::of(window, ClassIndex(index), LEVEL);
        same("precision", &class.precision, &report.precision);
        same("recall", &class.recall, &report.recall);
        same("F1", &class.f1, &report.f1);
        for answer in 0..CLASSES.len() as u16 {
            let cell = matrix.cell(ClassIndex(index), ClassIndex(answer)).unwrap();
            let own = evaluation.confusion.cells.iter().find(|it| (it.truth, it.answer) == (index, answer));
            assert_eq!(own.map_or(0, |it| it.labels), cell.labels);
            near("confusion", Some(own.map_or(0.0, |it| it.photos)), Some(cell.photos));
        }
    }
    near("Brier", evaluation.calibration.brier, brier(window).map(|it| it.value));
    near("log loss", evaluation.calibration.log_loss, log_loss(window).map(|it| it.value));
    compare_calibration(evaluation, window);
    let of_bins: f64 = evaluation.calibration.reliability.iter().map(|bin| bin.photos).sum();
    let of_cells: f64 = evaluation.confusion.cells.iter().map(|cell| cell.photos).sum();
    near("reliability", Some(of_bins), Some(of_cells));
    assert_eq!(evaluation.confidence.iter().map(|bin| bin.photos).sum::<u64>(), photos.len() as u64);

    assert_eq!(evaluation.funnel.backlog, *waiting);
    let (of_class, as_no_food, as_unreadable) =
        window.labels().iter().fold((0, 0, 0), |(of, no, un), label| match label.outcome {
            Outcome::Class(_) => (of + 1, no, un),
            Outcome::NotFood => (of, no + 1, un),
            Outcome::Unreadable => (of, no, un + 1),
        });
    let funnel = &evaluation.funnel;
    assert_eq!((funnel.classed, funnel.not_food, funnel.unreadable), (of_class, as_no_food, as_unreadable));
    assert_eq!(funnel.labelled, window.labels().len() as u64);
    let agreement = &evaluation.agreement;
    assert_eq!(agreement.fleiss.photos, pairs.len() as u64);
    assert_eq!(agreement.agreed, pairs.iter().filter(|pair| pair[0].1 == pair[1].1).count() as u64);
    let answers: BTreeSet<&Seen> = pairs.iter().flatten().map(|(_, seen)| seen).collect();
    let count =
        |pair: &Pair| answers.iter().map(|seen| pair.iter().filter(|it| it.1 == **seen).count() as u64).collect();
    let kappa = fleiss(&pairs.iter().map(count).collect::<Vec<Vec<u64>>>()).ok();
    near("Fleiss' kappa", agreement.fleiss.value, kappa.map(|it| it.value));
    if let Some(kappa) = kappa {
        near("its interval", Some(agreement.fleiss.lower), Some(kappa.interval(LEVEL).lower()));
        near("its interval", Some(agreement.fleiss.upper), Some(kappa.interval(LEVEL).upper()));
    }
    for pair in &agreement.pairs {
        let own = pairs.iter().filter(|it| (&it[0].0, &it[1].0) == (&pair.first, &pair.second));
        let said: Vec<(&Seen, &Seen)> = own.map(|[(_, one), (_, other)]| (one, other)).collect();
        near("Cohen's kappa", pair.kappa.value, cohen_kappa(&said));
        assert_eq!(pair.kappa.photos, said.len() as u64);
    }

    let feedback = &evaluation.feedback;
    same("flag precision", &feedback.flag_precision, &flag_precision(window, LEVEL));
    same("flag recall", &feedback.flag_recall, &flag_recall(window, LEVEL));
    same("correction precision", &feedback.correction_precision, &correction_precision(window, LEVEL));
    let count = |of: fn(&prediction::Model) -> bool| photos.iter().filter(|row| of(row)).count() as u64;
    assert_eq!(feedback.flagged, count(|row| row.flag.is_some()));
    assert_eq!(feedback.corrected, count(|row| row.corrected_class.is_some()));
    assert_eq!(feedback.complained, count(|row| row.flag.is_some() || row.corrected_class.is_some()));
    window.labels().len() as u64
}

/// Visitors of whole days, and how many of them had been there on an earlier one, by another way than the server does.
async fn look_at_every_visitor(connection: &DatabaseConnection, model: &str, days: &[DateTime<Utc>]) -> Returning {
    let photos = prediction::Entity::find().all(connection).await.unwrap();
    let sent = photos.iter().filter(|row| row.stored_at.is_some() || row.spool_file.is_some());
    let visits: Vec<(&str, DateTime<Utc>, &str)> =
        sent.filter_map(|row| Some((row.visitor.as_deref()?, row.created_at, row.model_version.as_str()))).collect();
    let (mut all, mut returning) = (0, 0);
    for &day in days {
        let of_day = visits.iter().filter(|(_, at, of)| *of == model && (day..day + TimeDelta::days(1)).contains(at));
        let of_day: BTreeSet<&str> = of_day.map(|(visitor, ..)| *visitor).collect();
        let was_there = |visitor: &&&str| visits.iter().any(|(other, at, _)| other == *visitor && *at < day);
        all += of_day.len() as u64;
        returning += of_day.iter().filter(was_there).count() as u64;
    }
    Returning { visits: all, returning }
}

/// The same with all counts made from nothing.
async fn recount(app: &App, connection: &DatabaseConnection) -> Vec<evaluation_count::Model> {
    let rows = async || {
        let mut rows = evaluation_count::Entity::find().all(connection).await.unwrap();
        rows.sort_by(|left, right| {
            (&left.model, &left.step, left.start_at).cmp(&(&right.model, &right.step, right.start_at))
        });
        rows
    };
    let before = rows().await;
    evaluation_count::Entity::delete_many().exec(connection).await.unwrap();
    let everything = evaluation_mark::ActiveModel {
        at: sea_orm::ActiveValue::Set(minute(-10_000)),
        until: sea_orm::ActiveValue::Set(Some(minute(100_000))),
        ..Default::default()
    };
    evaluation_mark::Entity::insert(everything).exec(connection).await.unwrap();
    assert!(app.catalog().count_evaluations(None, 1000, minute(5000)).await.unwrap());
    let after = rows().await;
    // A day's visitors are counted as those of earlier days were then, of whom some may have come or gone since.
    let without_visitors = |rows: &[evaluation_count::Model]| -> Vec<evaluation_count::Model> {
        let without = |row: &evaluation_count::Model| {
            let mut counts: Counts = serde_json::from_str(&row.counts).unwrap();
            (counts.traffic.visits, counts.traffic.returning) = (0, 0);
            evaluation_count::Model { counts: serde_json::to_string(&counts).unwrap(), ..row.clone() }
        };
        rows.iter().map(without).collect()
    };
    assert_eq!(without_visitors(&after), without_visitors(&before));
    after
}

/// What is there before a trigger is taken away.
struct Stage {
    app: App,
    connection: DatabaseConnection,
    campaign: Uuid,
    /// Photos of the first hour, all of them drawn.
    photos: Vec<gourmetgram_api::PredictionId>,
    /// Their tasks; the first ten are labelled.
    tasks: Vec<task::Model>,
    /// A photo that no campaign has looked at.
    extra: prediction::Model,
    /// The second label of the first task.
    second: Uuid,
    /// A batch of the third hour; nothing of it is labelled.
    batch: i64,
}

impl Stage {
    async fn new(built: &BuiltApp) -> Self {
        let app = built.app.clone();
        let connection = connect(&app).await;
        let photos = crate::photos::photos(&app, 30, 0..20).await;
        crate::photos::photos(&app, 90, 20..30).await;
        crate::photos::photos(&app, 150, 30..40).await;
        let mix = campaign(&app, &asked("Mix", continuous(RandomDraw::Rate(1.0), None))).await;
        app.catalog().select(mix.id, interval(0, 60), false).await.unwrap();
        let tasks = crate::photos::tasks(&connection, mix.id).await;
        for task in &tasks[..10] {
            let seen = Seen::Class { label: "Bread".to_owned() };
            let said = Said { annotator: "ann", seen: &seen, through: LabelledIn::Review, took_ms: None, at: now() };
            app.catalog().annotate(task.id, &said).await.unwrap();
        }
        app.catalog().select(mix.id, interval(120, 180), false).await.unwrap();
        let batches = batch::Entity::find().filter(batch::Column::IntervalStart.gte(minute(120)));
        let batch = batches.one(&connection).await.unwrap().unwrap().id;
        let known = prediction::Entity::find_by_id(photos[5].as_uuid()).one(&connection).await.unwrap().unwrap();
        let mut stage =
            Self { extra: known, second: Uuid::nil(), app, connection, campaign: mix.id, photos, tasks, batch };
        stage.extra = stage.insert_photo(minute(200), 77).await;
        stage.second = stage.label_again(0).await;
        stage
    }

    /// A photo that is there at once, as it comes back from the records.
    async fn insert_photo(&self, at: DateTime<Utc>, number: u64) -> prediction::Model {
        let id = received(at, number, 0.9).id.as_uuid();
        let object_key = format!("class_00/{id}.jpg");
        let row = prediction::Model { id, created_at: at, object_key, ..self.extra.clone() };
        row.clone().into_active_model().insert(&self.connection).await.unwrap()
    }

    /// Somebody else labels a task that has all its labels, in Label Studio, and says the same.
    async fn label_again(&self, task: usize) -> Uuid {
        let said = Standing {
            annotation: AnnotationId(task as i64 + 1),
            task: self.tasks[task].id,
            annotator: "bob".to_owned(),
            seen: Seen::Class { label: "Bread".to_owned() },
            took_ms: None,
            at: now(),
        };
        let changes = RemoteChanges { withdrawn: Vec::new(), said: vec![said] };
        let id = self.tasks[task].id;
        assert!(self.app.catalog().follow_label_studio(id, &changes).await.unwrap());
        let rows = annotation::Entity::find().filter(annotation::Column::TaskId.eq(id));
        let rows = rows.filter(annotation::Column::Annotator.eq("bob"));
        rows.one(&self.connection).await.unwrap().unwrap().id
    }

    /// Does what only this trigger notices.
    async fn trip(&self, trigger: &str) {
        let catalog = self.app.catalog();
        match trigger {
            "counted_predictions_insert" => drop(self.insert_photo(minute(250), 78).await),
            "counted_predictions_update" => {
                catalog.give_feedback(self.photos[5], &Change::Flag(FlagReason::Other), Actor::Visitor).await.unwrap();
            }
            "counted_predictions_delete" => {
                prediction::Entity::delete_by_id(self.extra.id).exec(&self.connection).await.unwrap();
            }
            // As it comes back from the records.
            "counted_batches_insert" => {
                let taken_out = self.take_batch_out().await;
                assert!(self.holds().await, "without the batch");
                let (batch, selections, tasks) = taken_out;
                batch.into_active_model().insert(&self.connection).await.unwrap();
                for row in selections {
                    row.into_active_model().insert(&self.connection).await.unwrap();
                }
                for row in tasks {
                    row.into_active_model().insert(&self.connection).await.unwrap();
                }
            }
            "counted_batches_delete" => drop(self.take_batch_out().await),
            // Counted while its draw is written, a batch is left out; it is there once the draw is gone.
            "counted_draws_delete" => {
                let strata = serde_json::json!([]);
                let row = draw::Model {
                    id: Uuid::now_v7(),
                    campaign_id: self.campaign,
                    batch_id: Some(self.batch),
                    parts: 0,
                    written: 0,
                    strata,
                };
                row.into_active_model().insert(&self.connection).await.unwrap();
                let mark = evaluation_mark::ActiveModel {
                    at: Set(minute(120)),
                    until: Set(Some(minute(180))),
                    ..Default::default()
                };
                mark.insert(&self.connection).await.unwrap();
                assert!(!self.holds().await, "a batch that is not written counts");
                catalog.finish_draws(self.campaign).await.unwrap();
            }
            // The task of a photo that is erased waits no more.
            "counted_tasks_update" => {
                // Of one that has feedback, erasing it is noticed by the trigger of predictions, too.
                let quiet: Vec<Uuid> = [3, 4, 6, 7, 8, 9, 13, 14, 15].map(|it| self.photos[it].as_uuid()).to_vec();
                let waits = |task: &&task::Model| quiet.contains(&task.prediction_id);
                let task = self.tasks[10..].iter().find(waits).unwrap();
                catalog.erase(task.prediction_id.try_into().unwrap()).await.unwrap();
            }
            // Neither moves the label that stands, nor does the task wait for it.
            "counted_annotations_insert" => drop(self.label_again(1).await),
            "counted_annotations_update" => catalog.take_back(self.second).await.unwrap(),
            other => panic!("nobody knows what the trigger {other} is there for"),
        }
    }

    /// Takes the third hour's batch out, with its photos and tasks.
    async fn take_batch_out(&self) -> (batch::Model, Vec<selection::Model>, Vec<task::Model>) {
        let connection = &self.connection;
        let own = task::Column::BatchId.eq(self.batch);
        let tasks = task::Entity::find().filter(own.clone()).all(connection).await.unwrap();
        task::Entity::delete_many().filter(own).exec(connection).await.unwrap();
        let own = selection::Column::BatchId.eq(self.batch);
        let selections = selection::Entity::find().filter(own.clone()).all(connection).await.unwrap();
        selection::Entity::delete_many().filter(own).exec(connection).await.unwrap();
        let row = batch::Entity::find_by_id(self.batch).one(connection).await.unwrap().unwrap();
        batch::Entity::delete_by_id(self.batch).exec(connection).await.unwrap();
        (row, selections, tasks)
    }

    /// Whether what was counted is what a look at every row finds.
    async fn holds(&self) -> bool {
        let times = (minute(0), minute(600));
        let query = EvaluationQuery { from: Some(times.0), to: Some(times.1), ..EvaluationQuery::default() };
        let evaluation = evaluate(&self.app, &query, minute(9000)).await;
        let found = look_at_every_row(&self.connection, self.campaign, "food64-1", times).await;
        std::panic::catch_unwind(AssertUnwindSafe(|| compare(&evaluation, &found))).is_ok()
    }

    /// The triggers that mark what is to be counted anew, by the database's own word, with their tables.
    async fn triggers(&self) -> Vec<(String, String)> {
        let backend = self.connection.get_database_backend();
        let sql = match backend {
            DbBackend::Sqlite => "SELECT name, tbl_name AS of FROM sqlite_master WHERE type = 'trigger'",
            _ => "SELECT trigger_name AS name, event_object_table AS of FROM information_schema.triggers",
        };
        let rows = self.connection.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
        let named = rows.iter().map(|row| (row.try_get("", "name").unwrap(), row.try_get("", "of").unwrap()));
        named.filter(|(name, _): &(String, String)| name.starts_with("counted_")).collect()
    }
}

on_both_databases! {
    counts_are_what_a_look_at_every_row_finds => async |database: Database| {
        let built = build(database).await;
        let app = built.app.clone();
        let connection = connect(&app).await;
        let mix = campaign(&app, &NewCampaign { double_share: 0.3, ..asked("Mix", continuous(RandomDraw::Rate(0.3), Some(3))) }).await;
        let other = campaign(&app, &asked("Beside", CampaignRule::Everything)).await;
        // Mostly the one that counts.
        let campaigns = vec![mix.id, mix.id, mix.id, other.id];
        let mut life = Life::new(&app, 20_261_125, campaigns, connection.clone());
        let (mut labels, mut compared_rates, mut twice, mut classless) = (0, 0, 0, 0);
        for round in 0..4 {
            for _ in 0..60 {
                life.happen().await;
            }
            let windows = [(0, 2460, SeriesStep::Day), (0, 2460, SeriesStep::Month), (0, 2460, SeriesStep::Hour), (300, 1260, SeriesStep::Hour), (600, 2400, SeriesStep::Day)];
            for (from, to, step) in windows {
                for model in ["food64-1", "other-2"] {
                    let query = EvaluationQuery {
                        from: Some(minute(from)),
                        to: Some(minute(to)),
                        model: Some(model.to_owned()),
                        step: Some(step),
                        ..EvaluationQuery::default()
                    };
                    let evaluation = evaluate(&app, &query, minute(5000)).await;
                    assert_eq!(evaluation.uncounted, 0, "round {round}");
                    let found = look_at_every_row(&connection, mix.id, model, (minute(from), minute(to))).await;
                    labels += compare(&evaluation, &found);
                    compared_rates += u32::from(found.tells_rates);
                    twice += found.pairs.len();
                    // The difference estimate is there although some photos have no true class.
                    let has_classless = found.window.labels().iter().any(|label| label.correct().is_none());
                    classless += u32::from(has_classless && evaluation.headline.difference.is_some());
                    // What the points add up to is the window.
                    assert_eq!(evaluation.series.iter().map(|point| point.photos).sum::<u64>(), evaluation.headline.photos);
                }
            }
        }
        assert!(labels > 500 && compared_rates > 0, "{labels} labels, {compared_rates} windows tell rates");
        assert!(twice > 50 && classless > 5, "{twice} photos labelled twice, {classless} windows with photos of no class");
        let rows = recount(&app, &connection).await;
        assert!(rows.len() > 50, "{} rows", rows.len());
        for model in ["food64-1", "other-2"] {
            let days = [minute(0), minute(1440)];
            let query = EvaluationQuery {
                from: Some(days[0]),
                to: Some(minute(2880)),
                model: Some(model.to_owned()),
                step: Some(SeriesStep::Day),
                ..EvaluationQuery::default()
            };
            let found = evaluate(&app, &query, minute(5000)).await.feedback.visitors.unwrap();
            assert_eq!(found, look_at_every_visitor(&connection, model, &days).await, "{model}");
            assert!(found.returning > 0 && found.returning < found.visits, "{found:?}");
            // Of less than a whole day nothing is said of visitors.
            let query = EvaluationQuery { from: Some(minute(60)), to: Some(minute(1380)), ..query };
            assert_eq!(evaluate(&app, &query, minute(5000)).await.feedback.visitors, None);
        }
        connection.close().await.unwrap();
        drop(life);
        drop(app);
        built.close().await;
    };

    without_campaign_or_labels_or_photos_nothing_is_claimed => async |database: Database| {
        let built = build(database).await;
        let app = built.app.clone();
        let at = minute(1000);
        let nothing = evaluate(&app, &EvaluationQuery::default(), at).await;
        assert_eq!((nothing.headline.photos, nothing.headline.accuracy.value, nothing.campaign), (0, None, None));
        assert_eq!((nothing.headline.accuracy.lower, nothing.headline.accuracy.upper), (0.0, 1.0));
        assert_eq!(nothing.decision.verdict, Verdict::Unknown);
        assert!(nothing.series.is_empty() && nothing.plan.curve.is_empty() && nothing.headline.expected.is_none());
        assert_eq!(nothing.classes, CLASSES);

        // One photo, and no campaign: it is seen, and nothing is said of accuracy.
        crate::photos::photos(&app, 900, 0..1).await;
        let one = evaluate(&app, &EvaluationQuery::default(), at).await;
        assert_eq!((one.headline.photos, one.headline.not_considered), (1, 1));
        assert_eq!((one.headline.accuracy.value, one.series.len()), (None, 1));
        assert!((one.headline.expected.unwrap().value - 0.5).abs() < 1e-9);

        // A campaign that has labelled nothing.
        crate::photos::photos(&app, 905, 1..30).await;
        let mix = campaign(&app, &asked("Mix", continuous(RandomDraw::Rate(1.0), None))).await;
        app.catalog().select(mix.id, interval(0, 1000), false).await.unwrap();
        let waiting = evaluate(&app, &EvaluationQuery::default(), at).await;
        assert_eq!(waiting.campaign.as_ref().unwrap().name, "Mix");
        assert_eq!((waiting.headline.accuracy.value, waiting.headline.accuracy.upper), (None, 1.0));
        assert_eq!((waiting.funnel.drawn, waiting.funnel.labelled, waiting.funnel.backlog), (30, 0, 30));
        assert!(waiting.headline.provisional && waiting.funnel.oldest_seconds.is_some());
        assert_eq!(waiting.headline.unlabelled.len(), waiting.headline.strata.len());

        // Thirty photos, all labelled: a census, known exactly.
        let connection = connect(&app).await;
        for (task, place) in crate::photos::tasks(&connection, mix.id).await.iter().zip(0..) {
            let seen = Seen::Class { label: CLASSES[usize::from(place % 3 == 0)].to_owned() };
            let said = Said { annotator: "ann", seen: &seen, through: LabelledIn::Review, took_ms: None, at: now() };
            app.catalog().annotate(task.id, &said).await.unwrap();
        }
        let census = evaluate(&app, &EvaluationQuery::default(), at).await;
        let Measure { value, lower, upper, labels, photos, method, enough } = census.headline.accuracy;
        assert!((value.unwrap() - 20.0 / 30.0).abs() < 1e-12 && lower == upper);
        assert_eq!((labels, photos, method, enough), (30, 30, MeasureMethod::Census, true));
        assert_eq!((census.funnel.backlog, census.funnel.oldest_seconds), (0, None));
        connection.close().await.unwrap();
        drop(app);
        built.close().await;
    };

    only_the_blind_campaign_of_evaluation_counts => async |database: Database| {
        let built = build(database).await;
        let app = built.app.clone();
        crate::photos::photos(&app, 10, 0..20).await;
        // Not blind, though it mixes; blind, though it has no sample of others.
        let shown = campaign(&app, &NewCampaign { blind: false, ..asked("Shown", continuous(RandomDraw::Rate(1.0), None)) }).await;
        let flagged = campaign(&app, &asked("Flagged", CampaignRule::Flagged { reasons: Vec::new(), at_most: None })).await;
        for campaign in [&shown, &flagged] {
            app.catalog().select(campaign.id, interval(0, 60), false).await.unwrap();
        }
        let at = minute(600);
        assert_eq!(evaluate(&app, &EvaluationQuery::default(), at).await.campaign, None);
        let first = campaign(&app, &asked("First", continuous(RandomDraw::Rate(1.0), None))).await;
        let second = campaign(&app, &asked("Second", continuous(RandomDraw::Rate(0.5), None))).await;
        app.catalog().select(first.id, interval(0, 60), false).await.unwrap();
        let chosen = async |settings: &config::Evaluation| {
            let evaluation = evaluator(&app, settings).evaluate(&EvaluationQuery::default(), at).await.unwrap();
            (evaluation.campaign.map(|it| it.name), evaluation.funnel.drawn, evaluation.campaign_trouble)
        };
        let usual = config::Evaluation::default();
        assert_eq!(chosen(&usual).await, (Some("First".to_owned()), 20, None));
        // Another one by name; it has not looked at any photo.
        let named = |name: &str| config::Evaluation { campaign: Some(name.to_owned()), ..config::Evaluation::default() };
        assert_eq!(chosen(&named("Second")).await, (Some("Second".to_owned()), 0, None));
        let (none, _, trouble) = chosen(&named("Shown")).await;
        assert!(none.is_none() && trouble.unwrap().contains("blind"));
        let (none, _, trouble) = chosen(&named("Flagged")).await;
        assert!(none.is_none() && trouble.unwrap().contains("random sample"));
        let (none, _, trouble) = chosen(&named("Nowhere")).await;
        assert!(none.is_none() && trouble.unwrap().contains("Nowhere"));
        // Archived ones make way, and come back when there is no other.
        app.catalog().archive_campaign(first.id).await.unwrap();
        assert_eq!(chosen(&usual).await.0.as_deref(), Some("Second"));
        app.catalog().archive_campaign(second.id).await.unwrap();
        assert_eq!(chosen(&usual).await.0.as_deref(), Some("Second"));
        assert_eq!(campaigns::Entity::find().count(&connect(&app).await).await.unwrap(), 4);
        drop(app);
        built.close().await;
    };

    a_late_label_changes_the_window_of_its_photo => async |database: Database| {
        let built = build(database).await;
        let app = built.app.clone();
        crate::photos::photos(&app, 30, 0..10).await;
        crate::photos::photos(&app, 2000, 10..20).await;
        let mix = campaign(&app, &asked("Mix", continuous(RandomDraw::Rate(1.0), None))).await;
        app.catalog().select(mix.id, interval(0, 3000), false).await.unwrap();
        let labels = async || {
            let query = EvaluationQuery { from: Some(minute(0)), to: Some(minute(2880)), step: Some(SeriesStep::Hour), ..EvaluationQuery::default() };
            let series = evaluate(&app, &query, minute(9000)).await.series;
            series.iter().map(|point| (point.from, point.accuracy.labels, point.provisional)).collect::<Vec<_>>()
        };
        assert_eq!(labels().await, [(minute(0), 0, false), (minute(1980), 0, false)], "after days nobody waits any more");
        let connection = connect(&app).await;
        let tasks = crate::photos::tasks(&connection, mix.id).await;
        let photo = prediction::Entity::find_by_id(tasks[0].prediction_id).one(&connection).await.unwrap().unwrap();
        let seen = Seen::Class { label: "Bread".to_owned() };
        let said = Said { annotator: "ann", seen: &seen, through: LabelledIn::Review, took_ms: None, at: now() };
        app.catalog().annotate(tasks[0].id, &said).await.unwrap();
        let counts: Vec<u64> = labels().await.iter().map(|point| point.1).collect();
        assert_eq!(counts, if photo.created_at < minute(1000) { [1, 0] } else { [0, 1] });
        // An erased photo was served and labelled all the same; nothing of its visitor is in the counts.
        app.catalog().erase(photo.id.try_into().unwrap()).await.unwrap();
        assert_eq!(labels().await.iter().map(|point| point.1).collect::<Vec<_>>(), counts);
        connection.close().await.unwrap();
        drop(app);
        built.close().await;
    };

    what_was_published_stays_as_it_was => async |database: Database| {
        let built = build(database).await;
        let app = built.app.clone();
        crate::photos::photos(&app, 30, 0..10).await;
        let settings = config::Evaluation::default();
        let evaluator = evaluator(&app, &settings);
        let publish = async |at: DateTime<Utc>| {
            let (evaluation, manifest) = evaluator.evaluate_with_manifest(&EvaluationQuery::default(), RecordsState::default(), at).await.unwrap();
            app.catalog().publish_evaluation(&to_publish(&evaluation), &manifest, at - TimeDelta::hours(1)).await.unwrap()
        };
        assert!(publish(minute(100)).await);
        assert!(!publish(minute(110)).await, "one an hour");
        assert!(publish(minute(200)).await);
        let published = app.catalog().published_evaluations("food64-1", minute(300), 10).await.unwrap();
        assert_eq!(published.iter().map(|it| it.computed_at).collect::<Vec<_>>(), [minute(200), minute(100)]);
        let history = evaluator.evaluate(&EvaluationQuery::default(), minute(150)).await.unwrap().decision.history;
        assert_eq!(history.len(), 1, "what was published later is not told of earlier");
        let connection = connect(&app).await;
        for forbidden in ["UPDATE evaluation_results SET model = 'x'", "DELETE FROM evaluation_results"] {
            let error = sea_orm::ConnectionTrait::execute_unprepared(&connection, forbidden).await.unwrap_err();
            assert!(error.to_string().contains("never changed"), "{error}");
        }
        connection.close().await.unwrap();
        drop(app);
        built.close().await;
    };

    a_cell_of_the_matrix_opens_its_photos_and_no_others => async |database: Database| {
        let built = build(database).await;
        let app = built.app.clone();
        for hour in 0..4 {
            for number in 0..20 {
                let number = hour * 20 + number;
                let mut photo = received(minute(hour as i64 * 60 + 30), number, 0.8);
                photo.predicted_class = CLASSES[(number % 3) as usize].to_owned();
                photo.class_index = ClassIndex((number % 3) as u16);
                if number % 11 == 0 {
                    photo.model_version = "other-2".to_owned();
                }
                app.catalog().record(&photo, None, Some(Utc::now() + TimeDelta::hours(1))).await.unwrap();
                app.catalog().mark_stored(photo.id).await.unwrap();
            }
        }
        let mix = campaign(&app, &asked("Mix & match", continuous(RandomDraw::Rate(1.0), None))).await;
        let other = campaign(&app, &asked("Beside", CampaignRule::Everything)).await;
        let connection = connect(&app).await;
        // The other campaign comes later and says something else, so that what stands of a photo is mostly its word.
        for (of, shift, annotator) in [(&mix, 0, "ann"), (&other, 1, "bob")] {
            app.catalog().select(of.id, interval(0, 300), false).await.unwrap();
            for (task, place) in crate::photos::tasks(&connection, of.id).await.iter().zip(0..) {
                let seen = match (place + shift) % 7 {
                    0 => Seen::NotFood,
                    n => Seen::Class { label: CLASSES[n % 3].to_owned() },
                };
                let said = Said { annotator, seen: &seen, through: LabelledIn::Review, took_ms: None, at: now() };
                app.catalog().annotate(task.id, &said).await.unwrap();
            }
        }
        let query = EvaluationQuery { from: Some(minute(60)), to: Some(minute(180)), model: Some("food64-1".to_owned()), ..EvaluationQuery::default() };
        let evaluation = evaluate(&app, &query, minute(9000)).await;
        let photos = async |truth: &str, answer: &str, campaign: Option<&str>| {
            let query = PredictionQuery {
                class: Some(answer.to_owned()),
                label: Some(truth.to_owned()),
                campaign: campaign.map(str::to_owned),
                model_version: Some(evaluation.model.clone()),
                from: Some(evaluation.window.from),
                to: Some(evaluation.window.to),
                count: Some(true),
                ..PredictionQuery::default()
            };
            let page = app.catalog().predictions(Whose::Everybodys, &query).await.unwrap();
            assert_eq!(page.total.unwrap().counted as usize, page.items.len());
            page.items
        };
        let (mut cells, mut by_what_stands) = (0, 0);
        for (truth, row) in CLASSES.iter().zip(0..) {
            for (answer, column) in CLASSES.iter().zip(0..) {
                let cell = evaluation.confusion.cells.iter().find(|cell| (cell.truth, cell.answer) == (row, column));
                let own = photos(truth, answer, Some("Mix & match")).await;
                assert_eq!(own.len() as u64, cell.map_or(0, |cell| cell.labels), "{truth} answered as {answer}");
                for photo in &own {
                    let task = task::Entity::find()
                        .filter(task::Column::CampaignId.eq(mix.id))
                        .filter(task::Column::PredictionId.eq(photo.id.as_uuid()));
                    let task = task.one(&connection).await.unwrap().unwrap();
                    let seen: Seen = serde_json::from_value(task.resolved.unwrap()).unwrap();
                    assert_eq!((seen.label(), photo.predicted_class.as_str()), (Some(*truth), *answer));
                }
                cells += own.len();
                by_what_stands += u32::from(photos(truth, answer, None).await.len() as u64 != cell.map_or(0, |cell| cell.labels));
            }
        }
        assert!(cells > 25, "{cells} photos");
        assert!(by_what_stands > 0, "the other campaign makes a difference");
        assert!(photos("Soup", "Bread", Some("Nobody’s")).await.is_empty());
        // What a campaign chose, labelled or not, is a filter of its own; an erased photo is not there any more.
        let of_campaign = PredictionQuery { campaign: Some("Beside".to_owned()), limit: Some(200), ..PredictionQuery::default() };
        let chosen = app.catalog().predictions(Whose::Everybodys, &of_campaign).await.unwrap().items;
        assert_eq!(chosen.len(), 80);
        app.catalog().erase(chosen[0].id).await.unwrap();
        assert_eq!(app.catalog().predictions(Whose::Everybodys, &of_campaign).await.unwrap().items.len(), 79);
        connection.close().await.unwrap();
        drop(app);
        built.close().await;
    };

    a_trigger_that_is_missing_is_noticed => async |database: Database| {
        // Of the triggers that mark what is to be counted anew each is taken away once; what it is there for happens then,
        // and the comparison with a look at every row must fail.
        let built = build(database).await;
        let stage = Stage::new(&built).await;
        let mut triggers = stage.triggers().await;
        // The others need the batch that this one is tripped by.
        triggers.sort_by_key(|(name, _)| name == "counted_batches_delete");
        assert_eq!(triggers.len(), 9, "{triggers:?}");
        assert!(stage.holds().await, "before anything happens");
        for (trigger, _) in &triggers {
            stage.trip(trigger).await;
            assert!(stage.holds().await, "with every trigger there, {trigger} is as good as its word");
        }
        stage.connection.clone().close().await.unwrap();
        drop(stage);
        built.close().await;
        for (trigger, table) in &triggers {
            let built = build(database).await;
            let stage = Stage::new(&built).await;
            assert!(stage.holds().await, "before {trigger} is taken away");
            let on = match stage.connection.get_database_backend() {
                DbBackend::Sqlite => String::new(),
                _ => format!(" ON {table}"),
            };
            stage.connection.execute_unprepared(&format!("DROP TRIGGER {trigger}{on}")).await.unwrap();
            stage.trip(trigger).await;
            assert!(!stage.holds().await, "nobody notices that {trigger} is missing");
            stage.connection.clone().close().await.unwrap();
            drop(stage);
            built.close().await;
        }
    };

    labels_that_the_model_contradicts_are_told_the_most_suspect_first => async |database: Database| {
        let built = build(database).await;
        let app = built.app.clone();
        for number in 0..60 {
            let photo = received(minute(30), number, 0.4 + number as f32 / 100.0);
            app.catalog().record(&photo, None, Some(Utc::now() + TimeDelta::hours(1))).await.unwrap();
            app.catalog().mark_stored(photo.id).await.unwrap();
        }
        let mix = campaign(&app, &asked("Mix", continuous(RandomDraw::Rate(1.0), None))).await;
        app.catalog().select(mix.id, interval(0, 60), false).await.unwrap();
        let connection = connect(&app).await;
        let mut wrong = BTreeSet::new();
        for (task, place) in crate::photos::tasks(&connection, mix.id).await.iter().zip(0..) {
            let seen = match place % 4 {
                0 => Seen::Class { label: "Soup".to_owned() },
                1 => Seen::NotFood,
                2 => Seen::Class { label: "No dish of the model’s".to_owned() },
                _ => Seen::Class { label: "Bread".to_owned() },
            };
            if place % 4 == 0 {
                wrong.insert(task.prediction_id);
            }
            let said = Said { annotator: "ann", seen: &seen, through: LabelledIn::Review, took_ms: None, at: now() };
            app.catalog().annotate(task.id, &said).await.unwrap();
        }
        let query = EvaluationQuery { from: Some(minute(0)), to: Some(minute(60)), ..EvaluationQuery::default() };
        let settings = config::Evaluation::default();
        let evaluator = evaluator(&app, &settings);
        let found = evaluator.suspects(&query, minute(9000)).await.unwrap();
        assert_eq!((found.contradicted, found.items.len()), (30, 15));
        assert_eq!(found.items.iter().map(|it| it.prediction.as_uuid()).collect::<BTreeSet<_>>(), wrong);
        assert!(found.items.is_sorted_by(|one, other| one.margin <= other.margin), "{:?}", found.items);
        for it in &found.items {
            assert_eq!((it.label.as_str(), it.answer.as_str()), ("Soup", "Bread"));
            // What is left of certainty is shared by two classes.
            assert!((it.self_confidence - (1.0 - it.confidence) / 2.0).abs() < 1e-6);
            assert!((it.margin - (it.self_confidence - it.confidence)).abs() < 1e-6);
        }
        let gone = found.items[0].prediction;
        app.catalog().erase(gone).await.unwrap();
        let found = evaluator.suspects(&query, minute(9000)).await.unwrap();
        assert!(found.items.len() == 14 && found.items.iter().all(|it| it.prediction != gone), "erased is erased");
        let other = EvaluationQuery { from: Some(minute(120)), to: Some(minute(180)), ..query };
        assert_eq!(evaluator.suspects(&other, minute(9000)).await.unwrap().items, []);
        connection.close().await.unwrap();
        drop(app);
        built.close().await;
    };

    slices_are_windows_of_their_own => async |database: Database| {
        let built = build(database).await;
        let app = built.app.clone();
        crate::photos::photos(&app, 30, 0..20).await;
        crate::photos::photos(&app, 95, 20..40).await;
        let mix = campaign(&app, &asked("Mix", continuous(RandomDraw::Rate(1.0), None))).await;
        app.catalog().select(mix.id, interval(0, 300), false).await.unwrap();
        let slices = async |by: SliceBy| {
            let query = EvaluationQuery { slice: Some(by), ..EvaluationQuery::default() };
            let slices = evaluate(&app, &query, minute(300)).await.slices.unwrap();
            assert!(!slices.too_many);
            slices.items.iter().map(|slice| (slice.name.clone(), slice.photos)).collect::<Vec<_>>()
        };
        let named = |parts: &[(&str, u64)]| parts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<Vec<_>>();
        assert_eq!(slices(SliceBy::Hour).await, named(&[("0", 20), ("1", 20)]));
        assert_eq!(slices(SliceBy::Class).await, named(&[("Bread", 40)]));
        assert_eq!(slices(SliceBy::Confidence).await, named(&[("0.5–0.6", 4), ("0.9–1.0", 36)]));
        assert_eq!(slices(SliceBy::Source).await, named(&[("", 40)]));
        assert_eq!(slices(SliceBy::Tag).await, named(&[("", 32), ("flagged", 4), ("corrected_class", 4)]));
        let both = crate::photos::tasks(&connect(&app).await, mix.id).await[0].prediction_id.try_into().unwrap();
        for change in [Change::Flag(FlagReason::Other), Change::Correct("Rice".to_owned())] {
            app.catalog().give_feedback(both, &change, Actor::Visitor).await.unwrap();
        }
        let tags = slices(SliceBy::Tag).await;
        assert_eq!(tags.last(), Some(&("flagged, corrected_class".to_owned(), 1)));
        assert_eq!(tags.iter().map(|(_, photos)| photos).sum::<u64>(), 40, "each photo is in one part");

        // By version: the window's photos of each, with their own labels.
        for number in 40..45 {
            let mut photo = received(minute(150), number, 0.9);
            photo.model_version = "other-2".to_owned();
            app.catalog().record(&photo, None, Some(Utc::now() + TimeDelta::hours(1))).await.unwrap();
            app.catalog().mark_stored(photo.id).await.unwrap();
        }
        app.catalog().select(mix.id, interval(0, 300), false).await.unwrap();
        let connection = connect(&app).await;
        for task in crate::photos::tasks(&connection, mix.id).await {
            let photo = prediction::Entity::find_by_id(task.prediction_id).one(&connection).await.unwrap().unwrap();
            let label = if photo.model_version == "other-2" { "Soup" } else { "Bread" };
            let seen = Seen::Class { label: label.to_owned() };
            let said = Said { annotator: "ann", seen: &seen, through: LabelledIn::Review, took_ms: None, at: now() };
            app.catalog().annotate(task.id, &said).await.unwrap();
        }
        let query = EvaluationQuery { slice: Some(SliceBy::Model), ..EvaluationQuery::default() };
        let evaluation = evaluate(&app, &query, minute(300)).await;
        let parts = evaluation.slices.unwrap().items;
        let told: Vec<_> =
            parts.iter().map(|it| (it.name.as_str(), it.photos, it.accuracy.labels, it.accuracy.value)).collect();
        assert_eq!(told, [("other-2", 5, 5, Some(0.0)), ("food64-1", 40, 40, Some(1.0))]);
        assert_eq!(parts[1].accuracy, evaluation.headline.accuracy, "the version's own slice is the headline");
        assert!(!parts[0].accuracy.enough && parts[1].accuracy.enough);
        // In a window of its own alone.
        let query = EvaluationQuery { from: Some(minute(120)), to: Some(minute(300)), ..query };
        let names: Vec<String> =
            evaluate(&app, &query, minute(300)).await.slices.unwrap().items.into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["other-2"]);
        connection.close().await.unwrap();
        drop(app);
        built.close().await;
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_published_by_schedule_with_what_they_rest_on_in_the_records() {
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.evaluation.publish_every_hours = 24).await;
    let catalog = test.app.catalog();
    evaluating::tell(&test.app).await.unwrap();
    assert_eq!(catalog.last_published("food64-1").await.unwrap(), None, "there is nothing to publish");
    for number in 0..3 {
        let photo = received(now() - TimeDelta::hours(5), number, 0.8);
        catalog.record(&photo, None, Some(Utc::now() + TimeDelta::hours(1))).await.unwrap();
        catalog.mark_stored(photo.id).await.unwrap();
    }
    evaluating::tell(&test.app).await.unwrap();
    evaluating::tell(&test.app).await.unwrap();
    let published = catalog.published_evaluations("food64-1", now(), 10).await.unwrap();
    assert_eq!(published.len(), 1, "one a day");
    let connection = test.connect().await;
    let row = evaluation_result::Entity::find().one(&connection).await.unwrap().unwrap();
    let manifest: Manifest = serde_json::from_str(&row.manifest).unwrap();
    assert_eq!((manifest.records.waiting, manifest.query.to), (0, Some(row.to_at)));
    assert!(manifest.records.last_number > 0);
    connection.close().await.unwrap();
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_answers_operators_and_says_what_is_wrong_with_a_question() {
    let test = TestApp::start(Database::Sqlite).await;
    let ask = async |query: &str, token: &str| {
        test.get(&format!("/api/v1/evaluation{query}")).bearer_auth(token).send().await.unwrap()
    };
    assert_eq!(test.get("/api/v1/evaluation").send().await.unwrap().status(), 401);
    let other = test.token(&[Scope::PredictionsRead]).await;
    problem(ask("", &other).await, 403).await;
    let token = test.token(&[Scope::EvaluationRead]).await;
    test.upload(crate::support::a_photo(1)).await;
    let evaluation: Evaluation = ask("?window=1d&slice=class", &token).await.json().await.unwrap();
    assert_eq!(evaluation.headline.photos, 1);
    assert_eq!(evaluation.window.step, SeriesStep::Hour);
    let offline = evaluation.headline.offline.unwrap();
    assert_eq!((offline.value, offline.photos), (0.679, 4173));
    let manifest = test.get(&evaluation.manifest).bearer_auth(&token).send().await.unwrap();
    assert_eq!(manifest.status(), 200);
    let manifest: Manifest = manifest.json().await.unwrap();
    assert_eq!(manifest.query.model.as_ref(), Some(&evaluation.model));
    assert!(
        manifest.records.waiting > 0,
        "the photo is in no record yet, and asking writes none: {:?}",
        manifest.records
    );
    assert_eq!(manifest.records.last_number, 0);
    records::step(&test.app).await.unwrap();
    let manifest: Manifest =
        test.get(&evaluation.manifest).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    assert!(manifest.records.waiting == 0 && manifest.records.last_number > 0, "{:?}", manifest.records);
    let suspects = test.get("/api/v1/evaluation/suspects?window=1d");
    let suspects: SuspectLabels = suspects.bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    assert_eq!((suspects.model, suspects.contradicted, suspects.items.len()), (evaluation.model.clone(), 0, 0));
    problem(test.get("/api/v1/evaluation/suspects").bearer_auth(&other).send().await.unwrap(), 403).await;
    for (query, word) in [
        ("?window=2d", "window"),
        ("?wimdow=1d", "wimdow"),
        ("?window=1d&from=2026-11-01T00:00:00Z", "contradict"),
        ("?from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "before"),
        ("?from=1026-11-02T00:00:00Z", "years"),
        ("?step=hour&window=30d", "step"),
        ("?model=", "model"),
    ] {
        let problem = problem(ask(query, &token).await, 400).await;
        let detail = problem.detail;
        assert!(detail.contains(word) || query.contains("window=2d"), "{query}: {detail}");
    }
    problem(ask("?model=nobody", &token).await, 404).await;
    test.stop().await;
}
