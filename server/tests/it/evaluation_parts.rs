//! What an evaluation takes apart is what a look at those rows alone finds: bins of confidence, points over time,
//! slices. And what of it does not move, or tells of moves.

use chrono::{DateTime, Timelike, Utc};
use gourmetgram::{
    catalog::entity::{evaluation_count, prediction},
    evaluating::runs,
};
use gourmetgram_api::{
    ClassIndex, DriftWord, Evaluation, EvaluationQuery, NewCampaign, RandomDraw, SeriesStep, SliceBy, Takeover,
};
use gourmetgram_evaluation::{
    LabelledPrediction, Membership, NoneInside, Probability, Weights, Window, accuracy, expected_accuracy, proportion,
    random_sample_accuracy,
};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use crate::{
    evaluation::{LEVEL, Life, build, connect, continuous, evaluate, look_at_every_row, look_at_rows, near, same},
    on_both_databases,
    photos::{CLASSES, asked, campaign, interval, minute, received},
    support::Database,
};

/// The reliability curve, the calibration error over it and macro F1, from the labels themselves.
#[track_caller]
pub fn compare_calibration(evaluation: &Evaluation, window: &Window) {
    let weights = Weights::of(window);
    let confidence = |label: &LabelledPrediction| f64::from(label.confidence.get());
    let (mut all, mut distances, mut seen) = (0.0, 0.0, 0);
    for bin in &evaluation.calibration.reliability {
        // In 32 bits, like the bins: 0.7 is not below 0.7.
        let is_own = |label: &LabelledPrediction| (bin.from as f32..bin.to as f32).contains(&label.confidence.get());
        let (mut photos, mut sure, mut right) = (0.0, 0.0, 0.0);
        for label in window.labels().iter().filter(|label| is_own(label)) {
            let Some(is_right) = label.correct() else { continue };
            let weight = weights.get(label).unwrap();
            photos += weight;
            sure += weight * confidence(label);
            right += weight * f64::from(u8::from(is_right));
            seen += 1;
        }
        near("photos of a bin", Some(bin.photos), Some(photos));
        near("confidence of a bin", Some(bin.confidence), Some(sure / photos));
        near("accuracy of a bin", bin.accuracy.value, Some(right / photos));
        let tallies = window.tally(|label| match label.correct() {
            Some(is_right) if is_own(label) => Membership::inside(is_right),
            _ => Membership::Outside,
        });
        same("accuracy of a bin", &bin.accuracy, &proportion(&tallies, NoneInside::Ignored, LEVEL));
        all += photos;
        distances += (right - sure).abs();
    }
    assert_eq!(seen, window.labels().iter().filter(|label| label.correct().is_some()).count(), "labels of all bins");
    near("calibration error", evaluation.calibration.expected_error, (all > 0.0).then(|| distances / all));
    let of_classes: Option<Vec<f64>> = evaluation.per_class.iter().map(|class| class.f1.value).collect();
    let mean = of_classes.map(|values| values.iter().sum::<f64>() / values.len() as f64);
    near("macro F1", evaluation.confusion.macro_f1, mean);
    let enough = mean.is_some() && evaluation.per_class.iter().all(|class| class.f1.labels >= 30);
    assert_eq!(evaluation.confusion.macro_f1_enough, enough);
}

/// Each point of the series, from the rows of its stretch of time. Answers how many there were.
async fn compare_points(evaluation: &Evaluation, connection: &DatabaseConnection, campaign: Uuid) -> usize {
    for point in &evaluation.series {
        let times = (point.from, point.to);
        let found = look_at_every_row(connection, campaign, &evaluation.model, times).await;
        assert_eq!(point.photos, found.photos.len() as u64, "{times:?}");
        same("accuracy of a point", &point.accuracy, &accuracy(&found.window, LEVEL));
        if found.tells_rates {
            same("random sample of a point", &point.check, &random_sample_accuracy(&found.window, LEVEL));
        }
        let confidences = found.photos.iter().map(|row| Probability::new(f64::from(row.confidence)).unwrap());
        let expected = expected_accuracy(confidences);
        near("expected of a point", point.expected.map(|it| it.value), expected.map(|it| it.value));
    }
    evaluation.series.len()
}

/// The name of the part that a photo is in.
fn part_of(by: SliceBy, row: &prediction::Model) -> String {
    match by {
        SliceBy::Class => row.predicted_class.clone(),
        SliceBy::Confidence => {
            let tenth = (0..10_u8).rev().find(|tenth| row.confidence >= f32::from(*tenth) / 10.0).unwrap();
            format!("0.{tenth}–{}", if tenth == 9 { "1.0".to_owned() } else { format!("0.{}", tenth + 1) })
        }
        SliceBy::Source => row.source.clone().unwrap_or_default(),
        SliceBy::Hour => row.created_at.hour().to_string(),
        SliceBy::Tag => match (row.flag.is_some(), row.corrected_class.is_some()) {
            (false, false) => String::new(),
            (true, false) => "flagged".to_owned(),
            (false, true) => "corrected_class".to_owned(),
            (true, true) => "flagged, corrected_class".to_owned(),
        },
        SliceBy::Model => row.model_version.clone(),
    }
}

on_both_databases! {
    points_and_slices_are_what_a_look_at_their_rows_alone_finds => async |database: Database| {
        let built = build(database).await;
        let app = built.app.clone();
        let connection = connect(&app).await;
        let asked = NewCampaign { double_share: 0.2, ..asked("Mix", continuous(RandomDraw::Rate(0.4), Some(4))) };
        let mix = campaign(&app, &asked).await;
        let mut life = Life::new(&app, 20_261_130, vec![mix.id], connection.clone());
        for _ in 0..240 {
            life.happen().await;
        }
        let (mut points, mut parts, mut labels) = (0, 0, 0);
        let times = (minute(0), minute(2460));
        for model in ["food64-1", "other-2"] {
            let query = EvaluationQuery {
                from: Some(times.0),
                to: Some(times.1),
                model: Some(model.to_owned()),
                ..EvaluationQuery::default()
            };
            for step in [SeriesStep::Day, SeriesStep::Hour] {
                let query = EvaluationQuery { step: Some(step), ..query.clone() };
                let evaluation = evaluate(&app, &query, minute(9000)).await;
                points += compare_points(&evaluation, &connection, mix.id).await;
            }
            for by in [SliceBy::Class, SliceBy::Confidence, SliceBy::Source, SliceBy::Hour, SliceBy::Tag] {
                let query = EvaluationQuery { slice: Some(by), ..query.clone() };
                let evaluation = evaluate(&app, &query, minute(9000)).await;
                let slices = evaluation.slices.unwrap();
                for slice in &slices.items {
                    let of = |row: &prediction::Model| part_of(by, row) == slice.name;
                    let found = look_at_rows(&connection, mix.id, model, times, of).await;
                    let what = format!("{by:?} {:?} of {model}", slice.name);
                    assert_eq!(slice.photos, found.photos.len() as u64, "{what}");
                    same(&what, &slice.accuracy, &accuracy(&found.window, LEVEL));
                    labels += slice.accuracy.labels;
                }
                parts += slices.items.len();
                let photos: u64 = slices.items.iter().map(|slice| slice.photos).sum();
                assert_eq!(photos, evaluation.headline.photos, "{by:?}: each photo is in one part");
            }
        }
        assert!(points > 20 && parts > 20 && labels > 100, "{points} points, {parts} parts, {labels} labels in them");
        connection.close().await.unwrap();
        drop(life);
        drop(app);
        built.close().await;
    };

    the_reference_of_drift_stays_whatever_happens_to_its_photos => async |database: Database| {
        let built = build(database).await;
        let app = built.app.clone();
        let connection = connect(&app).await;
        let first = crate::photos::photos(&app, 30, 0..1).await[0];
        let row = prediction::Entity::find_by_id(first.as_uuid()).one(&connection).await.unwrap().unwrap();
        let insert = async |at: DateTime<Utc>, class: &str, confidence: f32, count: usize| {
            let copy = |_| {
                let id = Uuid::now_v7();
                let object_key = format!("class_00/{id}.jpg");
                let predicted_class = class.to_owned();
                prediction::Model { id, object_key, created_at: at, predicted_class, confidence, ..row.clone() }
                    .into_active_model()
            };
            prediction::Entity::insert_many((0..count).map(copy)).exec_without_returning(&connection).await.unwrap();
        };
        for _ in 0..10 {
            insert(minute(35), "Bread", 0.9, 100).await;
        }
        insert(minute(150), "Soup", 0.5, 100).await;
        insert(minute(170), "Soup", 0.6, 100).await;
        let query = EvaluationQuery { from: Some(minute(0)), to: Some(minute(300)), ..EvaluationQuery::default() };
        let before = evaluate(&app, &query, minute(5000)).await;
        assert_eq!((before.drift.reference_from, before.drift.reference_to), (Some(minute(0)), Some(minute(60))));
        assert_eq!((before.drift.reference_photos, before.drift.photos), (1001, 200));
        assert!(before.drift.findings.iter().all(|it| it.verdict == DriftWord::Drifted), "{:?}", before.drift);
        let reference = app.catalog().drift_reference("food64-1").await.unwrap().unwrap();

        // Some of its photos are erased, others of its hour and of an earlier one come late: counts follow, it does
        // not.
        let of_reference = prediction::Entity::find().filter(prediction::Column::CreatedAt.lt(minute(60)));
        for row in &of_reference.all(&connection).await.unwrap()[..5] {
            app.catalog().erase(row.id.try_into().unwrap()).await.unwrap();
        }
        insert(minute(40), "Soup", 0.4, 60).await;
        insert(minute(-90), "Soup", 0.4, 70).await;
        let after = evaluate(&app, &query, minute(5000)).await;
        assert_eq!(after.headline.photos, before.headline.photos + 60, "erased photos were served all the same");
        assert_eq!(after.drift, before.drift);
        assert_eq!(app.catalog().drift_reference("food64-1").await.unwrap(), Some(reference));
        connection.close().await.unwrap();
        drop(app);
        built.close().await;
    };

    a_window_reads_as_many_rows_with_ten_times_the_photos => async |database: Database| {
        let built = build(database).await;
        let app = built.app.clone();
        let connection = connect(&app).await;
        let mix = campaign(&app, &asked("Mix", continuous(RandomDraw::Rate(0.5), None))).await;
        let (from, to) = (minute(0), minute(2 * 1440));
        let mut seen = Vec::new();
        for numbers in [0..20, 20..220] {
            for (hour, place) in [(1, 0), (5, 1), (30, 2)] {
                let shift = place * 1000;
                crate::photos::photos(&app, hour * 60, numbers.start + shift..numbers.end + shift).await;
            }
            app.catalog().select(mix.id, interval(0, 2 * 1440), false).await.unwrap();
            let query = EvaluationQuery { from: Some(from), to: Some(to), ..EvaluationQuery::default() };
            let evaluation = evaluate(&app, &query, minute(9000)).await;
            let rows = evaluation_count::Entity::find().count(&connection).await.unwrap();
            let mut read = Vec::new();
            for step in SeriesStep::ALL {
                let runs = runs(step, from, to);
                read.push(app.catalog().evaluation_counts("food64-1", &runs).await.unwrap().len());
                read.push(app.catalog().photos_by_model(&runs).await.unwrap().len());
            }
            seen.push((evaluation.headline.photos, (rows, read, evaluation.series.len())));
        }
        let [(few, of_few), (many, of_many)] = &seen[..] else { panic!("{seen:?}") };
        assert_eq!((*few, *many), (60, 660));
        assert_eq!(of_few, of_many);
        // Three hours of two days, and of one month.
        assert_eq!((of_few.0, &of_few.1[..]), (6, &[3, 3, 2, 2, 2, 2][..]));
        connection.close().await.unwrap();
        drop(app);
        built.close().await;
    };

    a_rollback_is_told_by_who_answered => async |database: Database| {
        let built = build(database).await;
        let app = built.app.clone();
        for (day, version) in [(0, "food64-1"), (1, "other-2"), (2, "food64-1"), (3, "food64-1")] {
            for number in 0..12 {
                let mut photo = received(minute(day * 1440 + 60), (day * 12 + number) as u64, 0.9);
                photo.class_index = ClassIndex(0);
                photo.predicted_class = CLASSES[0].to_owned();
                photo.model_version = version.to_owned();
                app.catalog().record(&photo, None, Some(Utc::now() + chrono::TimeDelta::hours(1))).await.unwrap();
                app.catalog().mark_stored(photo.id).await.unwrap();
            }
        }
        let back = [Takeover { at: minute(2 * 1440), version: "food64-1".to_owned() }];
        for model in ["food64-1", "other-2"] {
            let query = EvaluationQuery {
                from: Some(minute(0)),
                to: Some(minute(4 * 1440)),
                model: Some(model.to_owned()),
                step: Some(SeriesStep::Day),
                ..EvaluationQuery::default()
            };
            let evaluation = evaluate(&app, &query, minute(9000)).await;
            assert_eq!(evaluation.takeovers, back, "the chart of {model}");
            let first: Vec<_> = evaluation.models.iter().map(|it| (it.version.as_str(), it.first)).collect();
            assert_eq!(first, [("food64-1", minute(60)), ("other-2", minute(1500))]);
        }
        // In a window without the other version nothing has changed.
        let times = (Some(minute(2 * 1440)), Some(minute(4 * 1440)));
        let query = EvaluationQuery { from: times.0, to: times.1, ..EvaluationQuery::default() };
        assert_eq!(evaluate(&app, &query, minute(9000)).await.takeovers, []);
        drop(app);
        built.close().await;
    };
}
