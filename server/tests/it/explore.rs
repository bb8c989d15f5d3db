//! Looking through all photos: filters, orders, pages, flags for many, and who may do it.

use std::collections::HashSet;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use gourmetgram::{
    accounts::Scope,
    catalog::{Whose, entity::prediction},
};
use gourmetgram_api::{
    Confidence, DeviceComparison, FlagReason, FlagResult, FlagsAnswer, FlagsRequest, MAX_FLAGS, Neighbours,
    ObjectState, Place, Prediction, PredictionId, PredictionPage, PredictionQuery, Role, SortKey, SortOrder,
    StoredObjects, WantedFlag,
};
use gourmetgram_object_store::{Bucket, TagChanges};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use reqwest::Response;
use sea_orm::{ActiveModelTrait, Database as Connection, IntoActiveModel};
use secrecy::ExposeSecret;
use serde_json::json;
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{Browser, Database, TestApp, a_photo, problem},
};

/// A row as the server writes it, with what labelling will write.
fn a_row(number: u32, random: &mut StdRng) -> prediction::Model {
    let labels = ["Bread", "Egg", "Noodles/Pasta", "Soup"];
    // Few times and confidences, so that many rows share one: then the order hangs on the id.
    let created_at = DateTime::from_timestamp(1_795_429_680 + random.random_range(0..12), 0).unwrap()
        + TimeDelta::milliseconds(random.random_range(0..2) * 500);
    let mut id = *Uuid::now_v7().as_bytes();
    id[12..].copy_from_slice(&number.to_be_bytes());
    let id = Uuid::from_bytes(id);
    let class = random.random_range(0..labels.len());
    let sometimes = |random: &mut StdRng, time: DateTime<Utc>| random.random_bool(0.3).then_some(time);
    let annotated = random.random_bool(0.4);
    prediction::Model {
        id,
        created_at,
        visitor: random.random_bool(0.5).then(|| format!("visitor {}", number % 3)),
        idempotency: None,
        image_sha256: "hash".to_owned(),
        object_key: format!("class_00/{id}.jpg"),
        content_type: "image/jpeg".to_owned(),
        bytes: 1,
        width: 1,
        height: 1,
        class_index: class as i32,
        predicted_class: labels[class].to_owned(),
        confidence: [0.1, 0.25, 0.5, 0.51, 0.9, 1.0][random.random_range(0..6)],
        probabilities: json!([]),
        source: None,
        model_version: ["v1", "v2"][random.random_range(0..2)].to_owned(),
        device: None,
        flag: random.random_bool(0.4).then(|| FlagReason::ALL.choose(random).unwrap().to_string()),
        corrected_class: random.random_bool(0.3).then(|| "Egg".to_owned()),
        annotated_class: annotated.then(|| ["Soup", "Egg"][random.random_range(0..2)].to_owned()),
        annotated_by: annotated.then(|| ["ann", "bob"][random.random_range(0..2)].to_owned()),
        annotated_at: annotated.then_some(created_at),
        label_wait_since: sometimes(random, created_at),
        noisy_since: sometimes(random, created_at),
        clean_since: sometimes(random, created_at),
        stored_at: random.random_bool(0.8).then_some(created_at),
        spool_file: None,
        spool_node: None,
        erased_at: random.random_bool(0.1).then_some(created_at),
        device_comparison: random
            .random_bool(0.6)
            .then(|| DeviceComparison::ALL.choose(random).unwrap().as_str().to_owned()),
        scaled_from: None,
    }
}

async fn insert(test: &TestApp, rows: &[prediction::Model]) {
    let connection = Connection::connect(test.app.settings().catalog_url().expose_secret()).await.unwrap();
    for row in rows {
        row.clone().into_active_model().insert(&connection).await.unwrap();
    }
}

/// What a filter means, said once more in the plainest way.
fn meets(row: &prediction::Model, query: &PredictionQuery) -> bool {
    let is = |wanted: Option<bool>, stands: bool| wanted.is_none_or(|wanted| wanted == stands);
    row.erased_at.is_none()
        && query.class.as_ref().is_none_or(|class| *class == row.predicted_class)
        && query.confidence_min.is_none_or(|least| row.confidence >= least.get())
        && query.confidence_max.is_none_or(|most| row.confidence <= most.get())
        && is(query.flagged, row.flag.is_some())
        && query.reason.is_none_or(|reason| row.flag.as_deref() == Some(reason.as_str()))
        && is(query.corrected, row.corrected_class.is_some())
        && is(query.annotated, row.annotated_class.is_some())
        && query.device.is_none_or(|device| row.device_comparison.as_deref() == Some(device.as_str()))
        && query.annotator.as_ref().is_none_or(|name| row.annotated_by.as_ref() == Some(name))
        && query.label.as_ref().is_none_or(|label| row.annotated_class.as_ref() == Some(label))
        && query.model_version.as_ref().is_none_or(|version| *version == row.model_version)
        && query.from.is_none_or(|from| row.created_at >= from)
        && query.to.is_none_or(|to| row.created_at < to)
        && query.place.is_none_or(|place| match place {
            Place::Production => row.stored_at.is_some(),
            Place::LabelWait => row.label_wait_since.is_some(),
            Place::Noisy => row.noisy_since.is_some(),
            Place::Clean => row.clean_since.is_some(),
        })
}

fn expected(rows: &[prediction::Model], query: &PredictionQuery) -> Vec<Uuid> {
    let mut found: Vec<&prediction::Model> = rows.iter().filter(|row| meets(row, query)).collect();
    let (key, order) = query.sorted_by();
    found.sort_by(|a, b| {
        let by_key = match key {
            SortKey::Time => a.created_at.cmp(&b.created_at),
            SortKey::Confidence => a.confidence.total_cmp(&b.confidence),
            SortKey::Class => (&a.predicted_class, a.created_at).cmp(&(&b.predicted_class, b.created_at)),
        };
        by_key.then(a.id.cmp(&b.id))
    });
    if order == SortOrder::Descending {
        found.reverse();
    }
    found.into_iter().map(|row| row.id).collect()
}

/// A filter with a few parts, none of which contradict each other.
fn a_filter(random: &mut StdRng) -> PredictionQuery {
    let maybe = |random: &mut StdRng| random.random_bool(0.2);
    let text = |words: &[&str], random: &mut StdRng| words.choose(random).map(|word| (*word).to_owned());
    let confidence = |value: f32| Confidence::new(value).ok();
    let mut query = PredictionQuery::default();
    if maybe(random) {
        query.class = text(&["Soup", "Egg", "Pizza"], random);
    }
    if maybe(random) {
        query.confidence_min = confidence(0.25);
    }
    if maybe(random) {
        query.confidence_max = confidence(0.9);
    }
    match random.random_range(0..6) {
        0 => query.flagged = Some(random.random_bool(0.5)),
        1 => query.reason = FlagReason::ALL.choose(random).copied(),
        _ => {}
    }
    if maybe(random) {
        query.corrected = Some(random.random_bool(0.5));
    }
    if maybe(random) {
        query.device = DeviceComparison::ALL.choose(random).copied();
    }
    match random.random_range(0..6) {
        0 => query.annotated = Some(random.random_bool(0.5)),
        1 => query.annotator = text(&["ann", "bob", "nobody"], random),
        2 => query.label = text(&["Soup", "Egg", "Pizza"], random),
        _ => {}
    }
    if maybe(random) {
        query.model_version = text(&["v1", "v2"], random);
    }
    if maybe(random) {
        query.from = DateTime::from_timestamp(1_795_429_683, 0);
    }
    if maybe(random) {
        query.to = DateTime::from_timestamp(1_795_429_690, 0);
    }
    if maybe(random) {
        query.place = Place::ALL.choose(random).copied();
    }
    query
}

fn ids(page: &PredictionPage) -> Vec<Uuid> {
    page.items.iter().map(|item| item.id.as_uuid()).collect()
}

on_both_databases! {
    pages_of_every_order_and_filter_show_each_photo_once_and_in_order => async |database| {
        let test = TestApp::start(database).await;
        let mut random = StdRng::seed_from_u64(7);
        let rows: Vec<prediction::Model> = (0..150).map(|number| a_row(number, &mut random)).collect();
        insert(&test, &rows).await;
        let catalog = test.app.catalog();
        let mut pages = 0;
        for round in 0..120 {
            let filter = if round < 6 { PredictionQuery::default() } else { a_filter(&mut random) };
            filter.check().unwrap();
            let query = PredictionQuery {
                sort: SortKey::ALL.choose(&mut random).copied(),
                order: [None, Some(SortOrder::Ascending), Some(SortOrder::Descending)].choose(&mut random).copied().flatten(),
                limit: Some(random.random_range(1..40)),
                count: Some(true),
                ..filter
            };
            let expected = expected(&rows, &query);
            let mut seen = Vec::new();
            let mut next = query.clone();
            loop {
                let page = catalog.predictions(Whose::Everybodys, &next).await.unwrap();
                assert!(page.items.len() <= usize::from(query.limit.unwrap()));
                assert_eq!(page.total.unwrap().counted as usize, expected.len(), "{query:?}");
                seen.extend(ids(&page));
                pages += 1;
                assert!(seen.len() <= expected.len(), "{query:?} never ends");
                match page.next_cursor {
                    Some(cursor) => next.cursor = Some(cursor),
                    None => break,
                }
            }
            assert_eq!(seen, expected, "{query:?}");
            if let Some((place, id)) = expected.iter().enumerate().nth(expected.len() / 2) {
                let row = rows.iter().find(|row| row.id == *id).unwrap();
                let beside = catalog.neighbours(Whose::Everybodys, &query, row).await.unwrap();
                let at = |place: Option<usize>| place.and_then(|place| expected.get(place)).map(|id| PredictionId::try_from(*id).unwrap());
                assert_eq!(beside, Neighbours { previous: at(place.checked_sub(1)), next: at(Some(place + 1)) }, "{query:?}");
            }
        }
        assert!(pages > 300, "only {pages} pages were turned");
        test.stop().await;
    };

    a_photo_that_comes_while_pages_are_turned_moves_nothing => async |database| {
        let test = TestApp::start(database).await;
        let mut random = StdRng::seed_from_u64(1);
        let rows: Vec<prediction::Model> = (0..30)
            .map(|number| prediction::Model { erased_at: None, ..a_row(number, &mut random) })
            .collect();
        insert(&test, &rows).await;
        let query = PredictionQuery { limit: Some(10), ..PredictionQuery::default() };
        let first = test.app.catalog().predictions(Whose::Everybodys, &query).await.unwrap();
        let newest = prediction::Model { erased_at: None, created_at: Utc::now().trunc_subsecs(3), ..a_row(99, &mut random) };
        insert(&test, &[newest]).await;
        let mut seen = ids(&first);
        let mut cursor = first.next_cursor;
        while let Some(at) = cursor {
            let page = test.app.catalog().predictions(Whose::Everybodys, &PredictionQuery { cursor: Some(at), ..query.clone() }).await.unwrap();
            seen.extend(ids(&page));
            cursor = page.next_cursor;
        }
        assert_eq!(seen, expected(&rows, &query));
        test.stop().await;
    };

    flags_for_many_are_set_told_of_and_undone => async |database| {
        let test = TestApp::start(database).await;
        let operator = test.operator().await;
        let (ann, bob, gone) = (test.upload(a_photo(1)).await, test.upload(a_photo(2)).await, test.upload(a_photo(3)).await);
        let flag = test.put(&format!("/api/v1/predictions/{}/flag", bob.id)).bearer_auth(&bob.feedback_token);
        assert_eq!(flag.json(&json!({"reason": "not_food"})).send().await.unwrap().status(), 200);
        test.delete(&format!("/api/v1/predictions/{}", gone.id)).bearer_auth(&operator).send().await.unwrap();
        let unknown: PredictionId = Uuid::now_v7().try_into().unwrap();
        let reason = Some(FlagReason::WrongLabel);
        let request = FlagsRequest { flags: [ann.id, bob.id, gone.id, unknown].map(|id| WantedFlag { id, reason }).to_vec() };
        let send = async |request: &FlagsRequest| -> FlagsAnswer {
            let answer = test.post("/api/v1/predictions/flags").bearer_auth(&operator).json(request).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.json().await.unwrap()
        };
        let answer = send(&request).await;
        let results: Vec<FlagResult> = answer.outcomes.iter().map(|outcome| outcome.result).collect();
        assert_eq!(results, [FlagResult::Changed, FlagResult::Changed, FlagResult::Erased, FlagResult::NotFound]);
        assert_eq!(answer.outcomes[1].before, Some(FlagReason::NotFood));
        test.settle().await;
        assert_eq!(test.tag(&ann.key, "flagged").await.as_deref(), Some("true"));

        let again = send(&request).await;
        assert_eq!(again.changed(), 0, "the same once more changes nothing");
        let seen = test.prediction(ann.id, &operator).await;
        assert_eq!((seen.flag, seen.history.len(), seen.history[0].by.as_str()), (reason, 1, "operator"));

        assert_eq!(send(&answer.undo()).await.changed(), 2);
        test.settle().await;
        assert_eq!(test.prediction(ann.id, &operator).await.flag, None);
        assert_eq!(test.tag(&ann.key, "flagged").await, None);
        assert_eq!(test.prediction(bob.id, &operator).await.flag, Some(FlagReason::NotFood), "as it was before");
        assert_eq!(test.tag(&bob.key, "flagged").await.as_deref(), Some("true"));
        test.stop().await;
    };

    the_object_store_is_looked_at_as_it_is_now => async |database| {
        let test = TestApp::start(database).await;
        let operator = test.operator().await;
        let new = test.upload(a_photo(1)).await;
        test.settle().await;
        let key = new.key.parse().unwrap();
        let theirs = TagChanges::new().set("reviewer", Some("somebody else"));
        test.app.object_store().merge_tags(Bucket::Production, &key, &theirs).await.unwrap();
        test.app.object_store().copy((Bucket::Production, &key), (Bucket::Noisy, &key)).await.unwrap();
        let path = format!("/api/v1/predictions/{}/objects", new.id);
        let found: StoredObjects = test.get(&path).bearer_auth(&operator).send().await.unwrap().json().await.unwrap();
        assert_eq!(found.objects.iter().map(|object| object.place).collect::<Vec<_>>(), Place::ALL);
        let at = |place: Place| &found.objects.iter().find(|object| object.place == place).unwrap().found;
        for place in [Place::Production, Place::Noisy] {
            let ObjectState::Present { tags } = at(place) else { panic!("{place:?}: {found:?}") };
            assert!(tags.iter().any(|tag| tag.name == "reviewer" && tag.value == "somebody else"), "{tags:?}");
            assert!(tags.iter().any(|tag| tag.name == "predicted_class"), "{tags:?}");
        }
        assert_eq!((at(Place::LabelWait), at(Place::Clean)), (&ObjectState::Absent, &ObjectState::Absent));
        test.stop().await;
    };

    only_operators_look_through_everything => async |database| {
        let test = TestApp::start(database).await;
        let ann = Browser::open(&test).await;
        let new = ann.upload(a_photo(1)).await;
        let annotator = Browser::signed_in(&test, "anna", Role::Annotator).await;
        let one = format!("/api/v1/predictions/{}", new.id);
        for path in ["/api/v1/predictions/facets".to_owned(), format!("{one}/objects"), format!("{one}/neighbours")] {
            problem(test.get(&path).send().await.unwrap(), 401).await;
            problem(ann.get(&path).send().await.unwrap(), 401).await;
            problem(annotator.get(&path).send().await.unwrap(), 403).await;
            problem(test.get(&path).bearer_auth(&new.feedback_token).send().await.unwrap(), 403).await;
        }
        // Before anything about the request is looked at.
        problem(ann.post("/api/v1/predictions/flags").body("nonsense").send().await.unwrap(), 401).await;
        problem(annotator.post("/api/v1/predictions/flags").body("nonsense").send().await.unwrap(), 403).await;
        for path in ["/photos", "/photos?class=Soup&view=table", &format!("/photos/{}", new.id)] {
            let answer = ann.get(path).send().await.unwrap();
            assert_eq!(answer.status(), 303);
            let location = answer.headers()["location"].to_str().unwrap();
            assert!(location.starts_with("/login?next=%2Fphotos"), "{location}");
            let page = text(annotator.get(path).send().await.unwrap(), 403).await;
            assert!(!page.contains("/thumbnail"), "{path}: {page}");
        }
        let id = new.id.to_string();
        for (browser, status) in [(&ann, 401), (&annotator, 403)] {
            let posted = browser.send_form("/photos/flags?class=Soup", &[("id", &id), ("reason", "other")]).await;
            let page = text(posted, status).await;
            assert!(!page.contains("Apply"), "the list is not shown with the refusal: {page}");
        }
        // A refused form of somebody else's photo does not show the page it asks to come back to.
        let form = format!("/photos/{id}/flag?next=%2Fphotos%2F{id}");
        let page = text(annotator.send_form(&form, &[("reason", "other")]).await, 404).await;
        assert!(!page.contains("In the object store now"), "{page}");
        let reader = test.token(&[Scope::PredictionsRead]).await;
        let page = text(test.get("/photos").bearer_auth(&reader).send().await.unwrap(), 200).await;
        assert!(page.contains(&id));
        let flags = json!({"flags": [{"id": new.id, "reason": "other"}]});
        let refused = test.post("/api/v1/predictions/flags").bearer_auth(&reader).json(&flags).send().await.unwrap();
        assert!(problem(refused, 403).await.detail.contains("feedback:write"));
        let operator = test.operator().await;
        assert_eq!(test.prediction(new.id, &operator).await.flag, None, "nothing was flagged");
        test.stop().await;
    };

    the_uploader_is_not_told_how_their_photo_is_labelled => async |database| {
        let test = TestApp::start(database).await;
        let operator = test.operator().await;
        let ann = Browser::open(&test).await;
        let new = ann.upload(a_photo(1)).await;
        test.settle().await;
        let connection = Connection::connect(test.app.settings().catalog_url().expose_secret()).await.unwrap();
        let row = test.app.catalog().prediction(new.id).await.unwrap().unwrap();
        let at = Some(row.created_at);
        let mut labelled = row.into_active_model();
        labelled.annotated_class = sea_orm::Set(Some("Egg".to_owned()));
        labelled.annotated_by = sea_orm::Set(Some("ann".to_owned()));
        labelled.annotated_at = sea_orm::Set(at);
        labelled.clean_since = sea_orm::Set(at);
        labelled.update(&connection).await.unwrap();

        let path = format!("/api/v1/predictions/{}", new.id);
        let seen = test.prediction(new.id, &operator).await;
        assert_eq!(seen.annotation.unwrap().label, "Egg");
        assert_eq!(seen.places, [Place::Production, Place::Clean]);
        let own: Prediction = ann.get(&path).send().await.unwrap().json().await.unwrap();
        let listed: PredictionPage = ann.get("/api/v1/predictions").send().await.unwrap().json().await.unwrap();
        let flagged: Prediction =
            ann.put(&format!("{path}/flag")).json(&json!({"reason": "other"})).send().await.unwrap().json().await.unwrap();
        for own in [&own, &listed.items[0], &flagged] {
            assert_eq!((&own.annotation, own.places.len()), (&None, 0));
        }

        test.delete(&path).bearer_auth(&operator).send().await.unwrap();
        let row = test.app.catalog().prediction(new.id).await.unwrap().unwrap();
        assert_eq!(row.clean_since, None, "its copies go with it");
        test.stop().await;
    };
}

async fn text(answer: Response, status: u16) -> String {
    let answered = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(answered, status, "{text}");
    text
}

#[tokio::test]
async fn filters_that_are_unknown_or_contradict_each_other_are_named() {
    let test = TestApp::start(Database::Sqlite).await;
    let operator = test.operator().await;
    for (bad, named) in [
        ("colour=red", "colour"),
        ("sort=beauty", "beauty"),
        ("order=up", "up"),
        ("place=attic", "attic"),
        ("reason=boring", "boring"),
        ("confidence_min=1.5", "confidence_min"),
        ("confidence_min=NaN", "confidence_min"),
        ("confidence_min=0.9&confidence_max=0.1", "confidence_max"),
        ("flagged=false&reason=other", "reason"),
        ("annotated=false&annotator=ann", "annotator"),
        ("from=2026-11-24T00:00:00Z&to=2026-11-23T00:00:00Z", "from"),
        ("class=", "class"),
        ("class=a%00b", "class"),
        ("cursor=abc", "cursor"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("class=a&class=b", "class"),
    ] {
        for path in ["/api/v1/predictions".to_owned()] {
            let refused = test.get(&format!("{path}?{bad}")).bearer_auth(&operator).send().await.unwrap();
            let refused = problem(refused, 400).await;
            assert!(refused.detail.contains(named), "{bad}: {}", refused.detail);
        }
    }
    test.stop().await;
}

#[tokio::test]
async fn a_cursor_of_another_order_is_refused() {
    let test = TestApp::start(Database::Sqlite).await;
    let operator = test.operator().await;
    for seed in 0..3 {
        test.upload(a_photo(seed)).await;
    }
    let get = |query: String| test.get(&format!("/api/v1/predictions?{query}")).bearer_auth(&operator).send();
    let page: PredictionPage = get("limit=1&sort=class".to_owned()).await.unwrap().json().await.unwrap();
    let cursor = page.next_cursor.unwrap();
    assert_eq!(get(format!("sort=class&cursor={cursor}")).await.unwrap().status(), 200);
    for other in ["", "sort=confidence&", "sort=class&order=desc&"] {
        let refused = problem(get(format!("{other}cursor={cursor}")).await.unwrap(), 400).await;
        assert!(refused.detail.contains("another sort or order"), "{}", refused.detail);
    }
    test.stop().await;
}

#[tokio::test]
async fn flags_for_many_have_limits_and_name_each_photo_once() {
    let test = TestApp::start(Database::Sqlite).await;
    let operator = test.operator().await;
    let new = test.upload(a_photo(1)).await;
    let post =
        |body: serde_json::Value| test.post("/api/v1/predictions/flags").bearer_auth(&operator).json(&body).send();
    let flag = |id: String| json!({"id": id, "reason": "other"});
    let many = |number: usize| (0..number).map(|_| flag(Uuid::now_v7().to_string())).collect::<Vec<_>>();
    for (bad, named) in [
        (json!({"flags": []}), "1 to 500"),
        (json!({"flags": many(MAX_FLAGS + 1)}), "1 to 500"),
        (json!({"flags": [flag(new.id.to_string()), flag(new.id.to_string())]}), "twice"),
        (json!({"flags": [flag("nonsense".to_owned())]}), "UUID"),
        (json!({"flags": [{"id": new.id, "reason": "boring"}]}), "boring"),
        (json!({}), "flags"),
    ] {
        let refused = problem(post(bad).await.unwrap(), 400).await;
        assert!(refused.detail.contains(named), "{named}: {}", refused.detail);
    }
    assert_eq!(test.prediction(new.id, &operator).await.flag, None);
    let most: FlagsAnswer = post(json!({"flags": many(MAX_FLAGS)})).await.unwrap().json().await.unwrap();
    assert_eq!(most.outcomes.len(), MAX_FLAGS);
    test.stop().await;
}

#[tokio::test]
async fn a_lost_object_store_is_said_so_and_keeps_nobody_waiting() {
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        settings.s3.endpoint = Some("http://127.0.0.1:1".to_owned());
        settings.s3.access_key_id = Some("key".to_owned());
        settings.s3.secret_access_key = Some("secret".to_owned().into());
    })
    .await;
    let operator = test.operator().await;
    let new = test.upload(a_photo(1)).await;
    let path = format!("/api/v1/predictions/{}/objects", new.id);
    let found: StoredObjects = test.get(&path).bearer_auth(&operator).send().await.unwrap().json().await.unwrap();
    assert!(found.objects.iter().all(|object| object.found == ObjectState::Unknown), "{found:?}");
    let page = test.get(&format!("/photos/{}", new.id)).bearer_auth(&operator).send().await.unwrap();
    assert!(text(page, 200).await.contains("The object store does not answer"));
    test.stop().await;
}

#[tokio::test]
async fn a_download_is_a_file_with_the_photos_own_name() {
    let test = TestApp::start(Database::Sqlite).await;
    let ann = Browser::open(&test).await;
    let new = ann.upload(a_photo(1)).await;
    let path = format!("/api/v1/predictions/{}/image", new.id);
    let answer = ann.get(&format!("{path}?download=true")).send().await.unwrap();
    assert_eq!(answer.headers()["content-disposition"], format!("attachment; filename=\"{}.jpg\"", new.id));
    assert!(!ann.get(&path).send().await.unwrap().headers().contains_key("content-disposition"));
    problem(ann.get(&format!("{path}?download=perhaps")).send().await.unwrap(), 400).await;
    test.stop().await;
}

/// An operator's browser, and a token to look behind its pages.
struct Operator {
    browser: Browser,
    token: String,
}

impl Operator {
    async fn at(test: &TestApp) -> Self {
        Self { browser: Browser::signed_in(test, "otto", Role::Operator).await, token: test.operator().await }
    }

    async fn get(&self, path: &str, status: u16) -> String {
        text(self.browser.get(path).send().await.unwrap(), status).await
    }

    async fn post(&self, path: &str, body: String) -> Response {
        let request = self.browser.post(path).body(body);
        request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap()
    }
}

#[tokio::test]
async fn an_operators_visit_by_plain_forms() {
    let test = TestApp::start(Database::Sqlite).await;
    let ann = Operator::at(&test).await;
    assert!(ann.get("/photos", 200).await.contains("No photos yet."));
    let (one, two) = (test.upload(a_photo(1)).await, test.upload(a_photo(2)).await);
    let list = ann.get("/photos?class=&flag=&min=&order=", 200).await;
    for new in [&one, &two] {
        assert!(list.contains(&format!("/photos/{}", new.id)), "{list}");
    }
    assert!(ann.get("/photos?min=90&max=10", 400).await.contains("exchange them"));

    let flagged = ann.post("/photos/flags?flag=no", format!("id={}&id={}&reason=bad_photo", one.id, two.id)).await;
    let page = text(flagged, 200).await;
    assert!(page.contains("2 photos flagged for review."), "{page}");
    assert!(page.contains("No photo is like that."), "the list has the filter of the form's address: {page}");
    let undone = ann.post("/photos/flags", format!("was={}%3A&was={}%3Aother", one.id, two.id)).await;
    assert_eq!(undone.status(), 200);
    assert_eq!(test.prediction(one.id, &ann.token).await.flag, None);
    assert_eq!(test.prediction(two.id, &ann.token).await.flag, Some(FlagReason::Other));
    for (body, named) in [
        ("reason=other".to_owned(), "no photo is ticked"),
        (format!("id={}", one.id), "does not say why"),
        ("id=nonsense&reason=other".to_owned(), "UUID"),
        ("was=nonsense".to_owned(), "id:reason"),
        (format!("id={}&reason=other&colour=red", one.id), "colour"),
    ] {
        let page = text(ann.post("/photos/flags", body).await, 400).await;
        assert!(page.to_lowercase().contains(&named.to_lowercase()), "{named}: {page}");
    }

    let page = format!("/photos/{}?flag=yes", one.id);
    let next: String = url::form_urlencoded::byte_serialize(page.as_bytes()).collect();
    let flag = ann.post(&format!("/photos/{}/flag?next={next}", one.id), "reason=not_food".to_owned()).await;
    assert_eq!((flag.status().as_u16(), flag.headers()["location"].to_str().unwrap()), (303, page.as_str()));
    assert!(ann.get(&page, 200).await.contains("Flagged: not food"));
    let refused = ann.post(&format!("/photos/{}/flag?next={next}", one.id), "reason=boring".to_owned()).await;
    assert!(text(refused, 400).await.contains("In the object store now"), "the photo's own page says what was wrong");
    let away = ann.post(&format!("/photos/{}/unflag?next=%2F%2Fevil.example", one.id), String::new()).await;
    assert_eq!(away.headers()["location"], format!("/?photo={}", one.id));
    let erase = ann.post(&format!("/photos/{}/erase?next=%2Fphotos", one.id), String::new()).await;
    assert_eq!(erase.headers()["location"], "/photos");
    assert!(!ann.get("/photos", 200).await.contains(&one.id.to_string()), "an erased photo is not shown");
    ann.get(&page, 404).await;
    test.stop().await;
}

#[tokio::test]
async fn plain_links_turn_the_pages() {
    let test = TestApp::start(Database::Sqlite).await;
    let ann = Operator::at(&test).await;
    let mut random = StdRng::seed_from_u64(3);
    let rows: Vec<prediction::Model> =
        (0..130).map(|number| prediction::Model { erased_at: None, ..a_row(number, &mut random) }).collect();
    insert(&test, &rows).await;
    let mut path = "/photos?sort=confidence".to_owned();
    let mut seen = HashSet::new();
    let mut pages = 0;
    loop {
        let html = ann.get(&path, 200).await;
        pages += 1;
        seen.extend(rows.iter().filter(|row| html.contains(&format!("value=\"{}\"", row.id))).map(|row| row.id));
        let Some((before, _)) = html.split_once("rel=\"next\"") else { break };
        let (_, link) = before.rsplit_once("href=\"").unwrap();
        path = link.split('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!((pages, seen.len()), (3, 130));
    test.stop().await;
}
