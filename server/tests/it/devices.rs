//! What a visitor's device answers beside the server: kept, compared, looked for, labelled and counted.

use std::collections::HashSet;

use gourmetgram::{
    catalog::{Catalog, Recorded, entity::prediction, now},
    config,
    evaluating::{Evaluator, LiveVersion},
    records::{Envelope, RecordKind},
};
use gourmetgram_api::{
    CampaignRule, Confidence, DeviceAnswer, DeviceComparison, DeviceFigures, EvaluationQuery, PhotoStratum,
    PredictionId, PredictionPage,
};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    on_both_databases,
    photos::{asked, campaign, interval, minute, received},
    support::{Browser, TestApp, a_photo, created, form, problem},
};

/// What a device says of a photo that the server took for Bread, by food64-1.
fn said(class: &str, version: &str) -> DeviceAnswer {
    DeviceAnswer {
        predicted_class: class.to_owned(),
        confidence: Confidence::new(0.5).unwrap(),
        model_version: version.to_owned(),
        decoded_by: None,
    }
}

/// Photos of the fifth minute: of every ten the device did not answer five, agreed on two, took one for another class, and
/// with another version agreed on one and took one for another class.
async fn photos(test: &TestApp, count: u64) -> Vec<(PredictionId, Option<DeviceComparison>)> {
    let mut photos = Vec::new();
    for number in 0..count {
        let (device, outcome) = match number % 10 {
            0 | 1 => (Some(said("Bread", "food64-1")), Some(DeviceComparison::Agrees)),
            2 => (Some(said("Rice", "food64-1")), Some(DeviceComparison::Disagrees)),
            3 => (Some(said("Bread", "elder-1")), Some(DeviceComparison::OtherVersionAgrees)),
            4 => (Some(said("Rice", "elder-1")), Some(DeviceComparison::OtherVersionDisagrees)),
            _ => (None, None),
        };
        let received = gourmetgram::catalog::Received { device, ..received(minute(5), number, 0.9) };
        let later = Some(now() + chrono::TimeDelta::hours(1));
        assert!(matches!(test.app.catalog().record(&received, None, later).await.unwrap(), Recorded::New));
        test.app.catalog().mark_stored(received.id).await.unwrap();
        photos.push((received.id, outcome));
    }
    photos
}

async fn chosen(test: &TestApp, campaign: Uuid) -> HashSet<Uuid> {
    let connection = test.connect().await;
    let tasks = crate::photos::tasks(&connection, campaign).await;
    connection.close().await.unwrap();
    tasks.into_iter().map(|task| task.prediction_id).collect()
}

/// What an evaluation of the first hour says of devices.
async fn figures(test: &TestApp) -> DeviceFigures {
    let settings = config::Evaluation::default();
    let live = LiveVersion { version: "food64-1".to_owned(), classes: vec!["Bread".to_owned()], offline: None };
    let evaluator = Evaluator { catalog: test.app.catalog(), settings: &settings, live };
    let query = EvaluationQuery { from: Some(minute(0)), to: Some(minute(60)), ..EvaluationQuery::default() };
    evaluator.evaluate(&query, now()).await.unwrap().devices
}

async fn compared(test: &TestApp) -> Vec<(Uuid, Option<String>)> {
    let connection = test.connect().await;
    let rows = prediction::Entity::find().all(&connection).await.unwrap();
    connection.close().await.unwrap();
    let mut rows: Vec<_> = rows.into_iter().map(|row| (row.id, row.device_comparison)).collect();
    rows.sort_unstable();
    rows
}

on_both_databases! {
    photos_are_found_by_what_the_device_said_beside_the_server => async |database| {
        let test = TestApp::start(database).await;
        let operator = test.operator().await;
        let silent = test.upload(a_photo(1)).await;
        let answered = |class: &str, version: &str, seed: u32| {
            let device = json!({"predicted_class": class, "confidence": 0.5, "model_version": version});
            let sent = test.post("/api/v1/predictions").multipart(form(a_photo(seed)).text("device", device.to_string()));
            async move { created(sent.send().await.unwrap()).await }
        };
        // The same photo has the same answer: what the server will say is known.
        let (class, version) = (silent.predicted_class.clone(), silent.model_version.clone());
        let other = if class == "Soup" { "Rice" } else { "Soup" };
        let list = async |filter: &str| -> PredictionPage {
            let answer = test.get(&format!("/api/v1/predictions?device={filter}")).bearer_auth(&operator).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{filter}");
            answer.json().await.unwrap()
        };
        let mut last = None;
        for (class, version, outcome) in [
            (class.as_str(), version.as_str(), DeviceComparison::Agrees),
            (other, version.as_str(), DeviceComparison::Disagrees),
            (class.as_str(), "elder-1", DeviceComparison::OtherVersionAgrees),
            (other, "elder-1", DeviceComparison::OtherVersionDisagrees),
        ] {
            let new = answered(class, version, 1).await;
            assert_eq!((&new.predicted_class, &new.model_version), (&silent.predicted_class, &silent.model_version));
            let found = list(outcome.as_str()).await;
            assert_eq!(found.items.iter().map(|item| item.id).collect::<Vec<_>>(), [new.id], "{outcome:?}");
            assert_eq!(found.items[0].device_comparison, Some(outcome));
            let row = test.app.catalog().prediction(new.id).await.unwrap().unwrap();
            assert_eq!(row.device_comparison.as_deref(), Some(outcome.as_str()));
            last = Some(new);
        }
        let refused = test.get("/api/v1/predictions?device=yes").bearer_auth(&operator).send().await.unwrap();
        problem(refused, 400).await;

        // Counts go on without the photo, as they do with its class.
        let last = last.unwrap();
        let erased = test.delete(&format!("/api/v1/predictions/{}", last.id)).bearer_auth(&operator).send().await.unwrap();
        assert_eq!(erased.status(), 204);
        assert!(list("other_version_disagrees").await.items.is_empty());
        let row = test.app.catalog().prediction(last.id).await.unwrap().unwrap();
        assert_eq!((row.device, row.device_comparison.as_deref()), (None, Some("other_version_disagrees")));
        test.stop().await;
    };

    a_campaign_has_photos_labelled_that_the_device_took_for_another_class => async |database| {
        let test = TestApp::start(database).await;
        let photos = photos(&test, 60).await;
        let of = |outcomes: &[DeviceComparison]| -> HashSet<Uuid> {
            let matching = photos.iter().filter(|(_, outcome)| outcome.is_some_and(|it| outcomes.contains(&it)));
            matching.map(|(id, _)| id.as_uuid()).collect()
        };
        let catalog = test.app.catalog();
        let rule = |other_versions, at_most| CampaignRule::DeviceDisagrees { other_versions, at_most };
        let same = asked("Same version", rule(false, None));
        let preview = catalog.preview_campaign(&same, interval(0, 30)).await.unwrap();
        assert_eq!((preview.selected.considered, preview.selected.chosen, preview.photos.len()), (60, 6, 6));
        let same = campaign(&test.app, &same).await;
        let selected = catalog.select(same.id, interval(0, 30), false).await.unwrap();
        let strata: Vec<_> =
            selected.strata.iter().map(|it| (it.stratum, it.considered, it.chosen, it.inclusion)).collect();
        assert_eq!(strata, [(PhotoStratum::Others, 54, 0, 0.0), (PhotoStratum::DeviceDisagrees, 6, 6, 1.0)]);
        assert_eq!(chosen(&test, same.id).await, of(&[DeviceComparison::Disagrees]));

        let any = campaign(&test.app, &asked("Any version", rule(true, None))).await;
        catalog.select(any.id, interval(0, 30), false).await.unwrap();
        let both = of(&[DeviceComparison::Disagrees, DeviceComparison::OtherVersionDisagrees]);
        assert_eq!(chosen(&test, any.id).await, both);

        let capped = campaign(&test.app, &asked("Some", rule(true, Some(3)))).await;
        let selected = catalog.select(capped.id, interval(0, 30), false).await.unwrap();
        assert_eq!(selected.strata[1].inclusion, 0.25);
        let chosen = chosen(&test, capped.id).await;
        assert!(chosen.len() == 3 && chosen.is_subset(&both));
        test.stop().await;
    };

    how_often_devices_disagree_is_counted_version_by_version => async |database| {
        let test = TestApp::start(database).await;
        let photos = photos(&test, 100).await;
        let found = figures(&test).await;
        let same = found.same_version;
        assert_eq!((found.photos, same.answered, same.disagreed, same.share), (100, 30, 10, Some(1.0 / 3.0)));
        // Wilson's interval of 10 out of 30.
        assert!((same.lower - 0.192_305).abs() < 1e-5 && (same.upper - 0.512_203).abs() < 1e-5, "{same:?}");
        let others = found.other_versions;
        assert_eq!((others.answered, others.disagreed, others.share), (20, 10, Some(0.5)));
        // Somebody wants their photo gone: the device was counted, and stays so.
        let (gone, _) = photos[2];
        test.app.catalog().erase(gone).await.unwrap();
        assert_eq!(figures(&test).await, found);
        test.stop().await;
    };

    a_device_that_answers_after_its_photo_was_sent_is_in_the_record_and_only_once => async |database| {
        let test = TestApp::start(database).await;
        let ann = Browser::open(&test).await;
        let new = ann.upload(a_photo(1)).await;
        let path = format!("/api/v1/predictions/{}/device", new.id);
        let other = if new.predicted_class == "Soup" { "Rice" } else { "Soup" };
        let answer = |class: &str| {
            json!({"predicted_class": class, "confidence": 0.5, "model_version": new.model_version, "decoded_by": "classifier"})
        };
        let said = answer(other);

        // It is the sender's word: nobody else has it, whatever they may see.
        problem(test.put(&path).json(&said).send().await.unwrap(), 401).await;
        problem(Browser::open(&test).await.put(&path).json(&said).send().await.unwrap(), 404).await;
        let operator = test.operator().await;
        problem(test.put(&path).bearer_auth(&operator).json(&said).send().await.unwrap(), 403).await;
        for malformed in [json!({}), answer(&"x".repeat(201))] {
            problem(ann.put(&path).json(&malformed).send().await.unwrap(), 400).await;
        }
        assert_eq!(test.app.catalog().prediction(new.id).await.unwrap().unwrap().device, None);

        // The same again, as after an answer that got lost, and another one by the token: the first stands.
        for request in [
            ann.put(&path).json(&said),
            ann.put(&path).json(&said),
            test.put(&path).bearer_auth(&new.feedback_token).json(&answer(&new.predicted_class)),
        ] {
            let seen: Value = request.send().await.unwrap().json().await.unwrap();
            assert_eq!((&seen["device"], seen["device_comparison"].as_str()), (&said, Some("disagrees")));
            assert_eq!(seen["predicted_class"], new.predicted_class.as_str());
        }
        let row = test.app.catalog().prediction(new.id).await.unwrap().unwrap();
        assert_eq!((row.device.as_ref(), row.device_comparison.as_deref()), (Some(&said), Some("disagrees")));

        let photo = format!("/api/v1/predictions/{}", new.id);
        assert_eq!(ann.delete(&photo).send().await.unwrap().status(), 204);
        problem(test.put(&path).bearer_auth(&new.feedback_token).json(&said).send().await.unwrap(), 410).await;
        test.stop().await;
    };

    a_device_that_answers_long_after_its_photo_was_sent_is_not_heard => async |database| {
        let test = TestApp::start(database).await;
        let catalog = test.app.catalog();
        // Where something is there already, there is nothing to be late for.
        for (number, device, status) in [(1, None, 409), (2, Some(said("Bread", "food64-1")), 200)] {
            let sent_at = now() - chrono::TimeDelta::hours(2);
            let received = gourmetgram::catalog::Received { device, ..received(sent_at, number, 0.9) };
            let later = Some(now() + chrono::TimeDelta::hours(1));
            assert!(matches!(catalog.record(&received, None, later).await.unwrap(), Recorded::New));
            catalog.mark_stored(received.id).await.unwrap();
            let token = test.app.feedback_tokens().issue(received.id);
            let request = test.put(&format!("/api/v1/predictions/{}/device", received.id)).bearer_auth(token);
            let answer = request.json(&said("Rice", "food64-1")).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status);
            let row = catalog.prediction(received.id).await.unwrap().unwrap();
            assert_eq!(row.device_comparison.as_deref(), (status == 200).then_some("agrees"));
        }
        test.stop().await;
    };

    what_a_device_says_later_is_counted_with_its_photo => async |database| {
        let test = TestApp::start(database).await;
        let photos = photos(&test, 10).await;
        let before = figures(&test).await.same_version;
        assert_eq!((before.answered, before.disagreed), (3, 1));
        let (silent, _) = photos[5];
        let row = test.app.catalog().note_device(silent, &said("Rice", "food64-1")).await.unwrap();
        assert_eq!(row.device_comparison.as_deref(), Some("disagrees"));
        let after = figures(&test).await.same_version;
        assert_eq!((after.answered, after.disagreed), (4, 2));
        test.stop().await;
    };

    what_devices_said_before_it_was_compared_is_compared_when_the_catalog_is_brought_up_to_date => async |database| {
        let test = TestApp::start(database).await;
        photos(&test, 10).await;
        let before = compared(&test).await;
        assert_eq!(before.iter().filter(|(_, outcome)| outcome.is_some()).count(), 5);
        let connection = test.connect().await;
        for sql in [
            "DROP INDEX device_by_time",
            "DROP INDEX device_by_confidence",
            "DROP INDEX device_by_class",
            "ALTER TABLE predictions DROP COLUMN device_comparison",
            "ALTER TABLE predictions DROP COLUMN scaled_from",
            "DELETE FROM seaql_migrations WHERE version = 'm011_devices'",
            "DELETE FROM record_marks",
            "DELETE FROM evaluation_marks",
            "DELETE FROM evaluation_counts",
        ] {
            connection.execute_unprepared(sql).await.unwrap();
        }
        connection.close().await.unwrap();
        Catalog::open(&test.app.settings().catalog_url(), 2).await.unwrap();
        assert_eq!(compared(&test).await, before);
        let counted = figures(&test).await;
        assert_eq!((counted.same_version.answered, counted.other_versions.answered), (3, 2), "it is counted anew");
        test.stop().await;
    };

    records_that_were_written_before_it_was_compared_are_compared_when_they_are_read => async |database| {
        let test = TestApp::start(database).await;
        photos(&test, 10).await;
        let before = compared(&test).await;
        let connection = test.connect().await;
        let rows = prediction::Entity::find().all(&connection).await.unwrap();
        connection.close().await.unwrap();
        let lines: Vec<String> = (1..).zip(&rows).map(|(seq, row)| {
            let line = Envelope::new(RecordKind::Prediction, seq, now()).line(row).unwrap();
            let mut line: Value = serde_json::from_str(&line).unwrap();
            assert!(line.as_object_mut().unwrap().remove("device_comparison").is_some(), "{line}");
            line.to_string()
        }).collect();
        let lines: Vec<(usize, &str)> = (1..).zip(lines.iter().map(String::as_str)).collect();
        let import = test.app.catalog().begin_import(false).await.unwrap();
        import.rows(RecordKind::Prediction, &lines).await.unwrap();
        import.finish(Uuid::now_v7(), 1, 10, &[]).await.unwrap();
        assert_eq!(compared(&test).await, before);
        test.stop().await;
    };
}
