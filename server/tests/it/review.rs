//! Our own review: who is given what, what becomes of what they say, and what a blind campaign keeps to itself.

use std::collections::{HashMap, HashSet};

use gourmetgram::{
    accounts::Scope,
    catalog::{
        Annotated, Said,
        entity::{annotation, outbox},
        now,
    },
    operator_link::OperatorLink,
};
use gourmetgram_api::{
    AnnotationPage, GivenAnnotation, LabelledIn, Prediction, ReviewDesk, ReviewTask, ReviewTasks, Role, Seen,
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{Browser, Database, TestApp, a_photo, problem},
};

fn class(label: &str) -> Seen {
    Seen::Class { label: label.to_owned() }
}

fn says<'a>(annotator: &'a str, seen: &'a Seen) -> Said<'a> {
    Said { annotator, seen, through: LabelledIn::Review, took_ms: Some(900), at: now() }
}

async fn say(test: &TestApp, task: Uuid, annotator: &str, seen: &Seen) -> Annotated {
    test.app.catalog().annotate(task, &says(annotator, seen)).await.unwrap()
}

async fn recorded(test: &TestApp, task: Uuid, annotator: &str, seen: &Seen) -> annotation::Model {
    match say(test, task, annotator, seen).await {
        Annotated::Recorded(row) => row,
        other => panic!("{other:?}"),
    }
}

/// The tasks that somebody is given now, in order.
async fn given(test: &TestApp, annotator: &str, campaign: Uuid, count: u64) -> Vec<Uuid> {
    let leased = test.app.catalog().next_tasks(annotator, Some(campaign), count).await.unwrap();
    leased.into_iter().map(|leased| leased.assignment.task.id).collect()
}

async fn is_closed(test: &TestApp, task: Uuid) -> bool {
    test.app.catalog().assignment(task).await.unwrap().unwrap().task.closed_at.is_some()
}

async fn let_leases_run_out(test: &TestApp) {
    test.sql("UPDATE task_leases SET until = '2026-01-01 00:00:00+00:00'").await;
}

/// The photo's label as operators see it.
async fn label_of(test: &TestApp, photo: gourmetgram_api::PredictionId) -> Option<(String, String)> {
    let operator = test.operator().await;
    let seen: Prediction = test.prediction(photo, &operator).await;
    seen.annotation.map(|annotation| (annotation.label, annotation.by))
}

on_both_databases! {
    many_annotators_label_every_task_as_often_as_wanted_and_nobody_one_twice => async |database| {
        let test = TestApp::start(database).await;
        let photos = test.copies_of_a_photo(40).await;
        let campaign = test.campaign("crowd", true, &photos, |place| if place % 4 == 0 { 2 } else { 1 }).await;
        let catalog = test.app.catalog();
        let workers = (0..8).map(|number| {
            let (catalog, campaign) = (catalog.clone(), campaign.id);
            tokio::spawn(async move {
                let annotator = format!("annotator-{number}");
                let mut mine = HashSet::new();
                let mut empty = 0;
                // Others may hold what is left; it is all labelled once nobody finds anything for a while.
                while empty < 20 {
                    let tasks = catalog.next_tasks(&annotator, Some(campaign), 3).await.unwrap();
                    if tasks.is_empty() {
                        empty += 1;
                        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    }
                    for leased in tasks {
                        let task = leased.assignment.task.id;
                        assert!(mine.insert(task), "{annotator} was given {task} again");
                        let seen = class("Soup");
                        let outcome = catalog.annotate(task, &says(&annotator, &seen)).await.unwrap();
                        assert!(matches!(outcome, Annotated::Recorded(_)), "a lease is a promise: {outcome:?}");
                    }
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap();
        }
        let connection = test.connect().await;
        let mut labels: HashMap<Uuid, HashSet<String>> = HashMap::new();
        for row in annotation::Entity::find().all(&connection).await.unwrap() {
            assert!(labels.entry(row.task_id).or_default().insert(row.annotator));
        }
        connection.close().await.unwrap();
        for task in &campaign.tasks {
            let row = catalog.assignment(*task).await.unwrap().unwrap().task;
            assert_eq!(labels.get(task).map_or(0, HashSet::len), row.wanted as usize);
            assert_eq!((row.given, row.closed_at.is_some()), (row.wanted, true));
        }
        let progress = &catalog.review_campaigns().await.unwrap()[0];
        assert_eq!((progress.photos, progress.labelled), (40, 40));
        test.stop().await;
    };

    two_who_answer_the_last_label_at_once_do_not_both_count => async |database| {
        let test = TestApp::start(database).await;
        let photos = test.copies_of_a_photo(12).await;
        let campaign = test.campaign("race", true, &photos, |_| 1).await;
        for task in campaign.tasks {
            let (one, other) = (class("Soup"), class("Egg"));
            let (catalog, again) = (test.app.catalog().clone(), test.app.catalog().clone());
            let first = tokio::spawn(async move { catalog.annotate(task, &says("ann", &one)).await.unwrap() });
            let second = tokio::spawn(async move { again.annotate(task, &says("bob", &other)).await.unwrap() });
            let outcomes = [first.await.unwrap(), second.await.unwrap()];
            assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Annotated::Recorded(_))).count(), 1);
            assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Annotated::Full)).count(), 1);
        }
        test.stop().await;
    };

    a_task_that_somebody_holds_is_given_to_nobody_else_until_the_time_runs_out => async |database| {
        let test = TestApp::start(database).await;
        let photos = test.copies_of_a_photo(3).await;
        let campaign = test.campaign("turns", true, &photos, |place| if place == 2 { 2 } else { 1 }).await;
        let [first, second, third] = campaign.tasks[..] else { panic!() };
        assert_eq!(given(&test, "ann", campaign.id, 2).await, [first, second]);
        assert_eq!(given(&test, "ann", campaign.id, 3).await, [first, second, third], "those she has, then more");
        assert_eq!(given(&test, "bob", campaign.id, 9).await, [third], "wanted twice, so it goes to two");
        assert!(given(&test, "carl", campaign.id, 9).await.is_empty());

        let_leases_run_out(&test).await;
        assert_eq!(given(&test, "carl", campaign.id, 1).await, [first]);
        // Ann comes back late: her second is still free, her first is Carl's.
        assert_eq!(given(&test, "ann", campaign.id, 9).await, [second, third]);
        assert!(matches!(say(&test, first, "ann", &class("Soup")).await, Annotated::Recorded(_)), "late, but not too late");
        assert_eq!(say(&test, first, "carl", &class("Egg")).await, Annotated::Full);
        assert!(is_closed(&test, first).await);
        test.stop().await;
    };

    what_somebody_passes_over_never_comes_back_to_them_unless_they_take_it_back => async |database| {
        let test = TestApp::start(database).await;
        let photos = test.copies_of_a_photo(2).await;
        let campaign = test.campaign("skips", true, &photos, |_| 1).await;
        let [first, second] = campaign.tasks[..] else { panic!() };
        let catalog = test.app.catalog();
        assert_eq!(given(&test, "ann", campaign.id, 1).await, [first]);
        for _ in 0..2 {
            catalog.skip_task(first, "ann").await.unwrap();
        }
        assert_eq!(given(&test, "ann", campaign.id, 9).await, [second]);
        assert_eq!(given(&test, "bob", campaign.id, 9).await, [first], "and others get it at once");
        catalog.unskip_task(first, "ann").await.unwrap();
        assert_eq!(given(&test, "ann", campaign.id, 9).await, [second], "it is Bob's meanwhile");
        let_leases_run_out(&test).await;
        assert_eq!(given(&test, "ann", campaign.id, 9).await, [first, second]);
        test.stop().await;
    };

    an_answer_is_changed_taken_back_and_repeated_and_task_and_photo_follow => async |database| {
        let test = TestApp::start(database).await;
        let photo = test.upload(a_photo(1)).await;
        test.settle().await;
        let campaign = test.campaign("one", true, &[photo.id], |_| 1).await;
        let task = campaign.tasks[0];
        given(&test, "ann", campaign.id, 1).await;

        let soup = recorded(&test, task, "ann", &class("Soup")).await;
        assert!(is_closed(&test, task).await);
        assert_eq!(label_of(&test, photo.id).await, Some(("Soup".to_owned(), "ann".to_owned())));
        assert!(soup.blind && soup.through == "review" && soup.took_ms == Some(900));

        let rows = test.count("annotations").await;
        assert_eq!(say(&test, task, "ann", &class("Soup")).await, Annotated::AsBefore(soup.clone()));
        assert_eq!(test.count("annotations").await, rows, "the same again changes nothing");

        let egg = recorded(&test, task, "ann", &class("Egg")).await;
        assert_eq!(label_of(&test, photo.id).await.unwrap().0, "Egg");
        assert!(test.app.catalog().annotation(soup.id).await.unwrap().unwrap().replaced_at.is_some());

        recorded(&test, task, "ann", &Seen::NotFood).await;
        assert!(is_closed(&test, task).await, "an answer all the same");
        assert_eq!(label_of(&test, photo.id).await, None);

        let last = recorded(&test, task, "ann", &Seen::Unreadable).await;
        for _ in 0..2 {
            test.app.catalog().take_back(last.id).await.unwrap();
            test.app.catalog().take_back(egg.id).await.unwrap();
        }
        assert!(!is_closed(&test, task).await);
        let row = test.app.catalog().assignment(task).await.unwrap().unwrap().task;
        assert_eq!((row.given, row.resolved), (0, None));
        assert_eq!(given(&test, "ann", campaign.id, 1).await, [task], "it is hers again");
        assert!(given(&test, "bob", campaign.id, 1).await.is_empty());
        test.settle().await;
        test.stop().await;
    };

    every_change_of_a_label_and_nothing_else_orders_the_buckets_to_follow => async |database| {
        let test = TestApp::start(database).await;
        let photo = test.upload(a_photo(1)).await;
        test.settle().await;
        let campaign = test.campaign("orders", true, &[photo.id], |_| 1).await;
        let task = campaign.tasks[0];
        // An order that nobody carries out today: it counts what is ordered.
        let order = outbox::Model {
            prediction_id: photo.id.as_uuid(),
            revision: 1,
            attempts: 0,
            due_at: now() + chrono::TimeDelta::days(1),
            lease: None,
            leased_by: None,
            leased_until: None,
            erase_passes: 0,
            last_error: None,
            created_at: now(),
        };
        let connection = test.connect().await;
        order.into_active_model().insert(&connection).await.unwrap();
        connection.close().await.unwrap();
        let catalog = test.app.catalog();
        let orders = async || catalog.outbox_row(photo.id).await.unwrap().unwrap().revision;

        recorded(&test, task, "ann", &class("Soup")).await;
        assert_eq!(orders().await, 2);
        say(&test, task, "ann", &class("Soup")).await;
        say(&test, task, "bob", &class("Egg")).await;
        assert_eq!(orders().await, 2, "the same again, and a label too many");
        let egg = recorded(&test, task, "ann", &class("Egg")).await;
        assert_eq!(orders().await, 3);
        for _ in 0..2 {
            catalog.take_back(egg.id).await.unwrap();
        }
        assert_eq!(orders().await, 4);
        test.stop().await;
    };

    two_labels_resolve_by_the_latest_and_blind_campaigns_speak_first => async |database| {
        let test = TestApp::start(database).await;
        let photo = test.upload(a_photo(1)).await;
        let shown = test.campaign("shown", false, &[photo.id], |_| 1).await;
        let blind = test.campaign("blind", true, &[photo.id], |_| 2).await;
        let label = async || label_of(&test, photo.id).await.map(|(label, by)| format!("{label} {by}"));

        recorded(&test, blind.tasks[0], "ann", &class("Soup")).await;
        assert!(!is_closed(&test, blind.tasks[0]).await, "wanted twice");
        assert_eq!(label().await.as_deref(), Some("Soup ann"));
        let bob = recorded(&test, blind.tasks[0], "bob", &class("Egg")).await;
        assert!(is_closed(&test, blind.tasks[0]).await);
        assert_eq!(label().await.as_deref(), Some("Egg bob"), "of a tie the latest");
        let carl = recorded(&test, shown.tasks[0], "carl", &class("Rice")).await;
        assert!(!carl.blind);
        assert_eq!(label().await.as_deref(), Some("Egg bob"), "who knew the answer speaks after who did not");
        test.app.catalog().take_back(bob.id).await.unwrap();
        assert_eq!(label().await.as_deref(), Some("Soup ann"));
        recorded(&test, blind.tasks[0], "ann", &Seen::Unreadable).await;
        assert_eq!(label().await, None, "blind and no class comes before a class that was not blind");
        test.stop().await;
    };

    erased_photos_are_neither_given_nor_labelled_nor_shown => async |database| {
        let test = TestApp::start(database).await;
        let photo = test.upload(a_photo(1)).await;
        let campaign = test.campaign("gone", true, &[photo.id], |_| 1).await;
        let ann = Browser::signed_in(&test, "ann", Role::Annotator).await;
        let task = next(&ann, campaign.id, 1).await.remove(0);
        let path = format!("/api/v1/review/tasks/{}/image", task.id);
        assert_eq!(ann.get(&path).send().await.unwrap().status(), 200);
        let owner = test.delete(&format!("/api/v1/predictions/{}", photo.id)).bearer_auth(&photo.feedback_token);
        assert_eq!(owner.send().await.unwrap().status(), 204);
        problem(ann.get(&path).send().await.unwrap(), 410).await;
        problem(annotate(&ann, task.id, &class("Soup")).await, 410).await;
        assert!(next(&ann, campaign.id, 1).await.is_empty());
        assert_eq!(test.count("annotations").await, 0);
        test.stop().await;
    };

    annotators_are_given_photos_answer_and_take_back_over_http => async |database| {
        let test = TestApp::start(database).await;
        let photos = test.copies_of_a_photo(3).await;
        let campaign = test.campaign("over http", true, &photos, |_| 1).await;
        let (ann, bob) =
            (Browser::signed_in(&test, "ann", Role::Annotator).await, Browser::signed_in(&test, "bob", Role::Annotator).await);
        let desk: ReviewDesk = ann.get("/api/v1/review/next?count=9").send().await.unwrap().json().await.unwrap();
        assert!(desk.tasks.is_empty(), "who only looks is given nothing");
        assert_eq!((desk.campaigns[0].photos, desk.campaigns[0].labelled, desk.classes.len()), (3, 0, 11));

        let tasks = next(&ann, campaign.id, 2).await;
        assert_eq!(tasks.iter().map(|task| task.id).collect::<Vec<_>>(), campaign.tasks[..2]);
        assert!(tasks[0].until > chrono::Utc::now() + chrono::TimeDelta::minutes(9));
        assert_eq!((tasks[0].width, tasks[0].height), (96, 96));
        let desk: ReviewDesk = ann.get("/api/v1/review/next?count=9").send().await.unwrap().json().await.unwrap();
        assert_eq!(desk.tasks, tasks);

        let image = format!("/api/v1/review/tasks/{}/image", tasks[0].id);
        for (query, kind) in [("", "image/jpeg"), ("?size=1024", "image/jpeg"), ("?size=96", "image/jpeg")] {
            let answer = ann.get(&format!("{image}{query}")).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, kind));
            assert!(image::load_from_memory(&answer.bytes().await.unwrap()).is_ok());
        }
        problem(ann.get(&format!("{image}?size=7")).send().await.unwrap(), 400).await;

        // What is Ann's is nobody else's, as if it were not there.
        problem(bob.get(&image).send().await.unwrap(), 404).await;
        problem(bob.get(&format!("{image}?size=7")).send().await.unwrap(), 404).await;
        problem(annotate(&bob, tasks[0].id, &class("Soup")).await, 404).await;
        problem(bob.post(&format!("/api/v1/review/tasks/{}/skip", tasks[0].id)).send().await.unwrap(), 404).await;
        problem(annotate(&ann, Uuid::now_v7(), &class("Soup")).await, 404).await;

        let refused = problem(annotate(&ann, tasks[0].id, &class("Pizza")).await, 422).await;
        assert!(refused.detail.contains("Pizza") && refused.detail.contains("Soup"), "{}", refused.detail);
        assert_eq!(test.count("annotations").await, 0);

        let answer = annotate(&ann, tasks[0].id, &class("Soup")).await;
        assert_eq!(answer.status(), 201);
        let said: GivenAnnotation = answer.json().await.unwrap();
        let answer = annotate(&ann, tasks[0].id, &class("Soup")).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.json::<GivenAnnotation>().await.unwrap(), said);

        let path = format!("/api/v1/annotations/{}", said.id);
        problem(bob.delete(&path).send().await.unwrap(), 404).await;
        for _ in 0..2 {
            assert_eq!(ann.delete(&path).send().await.unwrap().status(), 204);
        }
        assert_eq!(next(&ann, campaign.id, 2).await.iter().map(|task| task.id).collect::<Vec<_>>(), campaign.tasks[..2]);
        assert_eq!(ann.post(&format!("/api/v1/review/tasks/{}/skip", tasks[0].id)).send().await.unwrap().status(), 204);
        assert_eq!(next(&bob, campaign.id, 1).await[0].id, tasks[0].id);
        // Ann held it before, and comes too late.
        assert_eq!(annotate(&bob, tasks[0].id, &class("Egg")).await.status(), 201);
        let late = problem(annotate(&ann, tasks[0].id, &class("Soup")).await, 409).await;
        assert!(late.detail.contains("go on with the next"), "{}", late.detail);
        test.stop().await;
    };

    operators_list_annotations_with_where_they_come_from => async |database| {
        let test = TestApp::start(database).await;
        let photos = test.copies_of_a_photo(5).await;
        let campaign = test.campaign("listed", true, &photos, |_| 1).await;
        let other = test.campaign("other", false, &photos[..1], |_| 1).await;
        for task in &campaign.tasks {
            recorded(&test, *task, "ann", &class("Soup")).await;
        }
        recorded(&test, campaign.tasks[0], "ann", &class("Egg")).await;
        recorded(&test, other.tasks[0], "bob", &Seen::NotFood).await;
        let reader = test.token(&[Scope::PredictionsRead]).await;
        let page = async |query: String| -> AnnotationPage {
            let answer = test.get(&format!("/api/v1/annotations?{query}")).bearer_auth(&reader).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.json().await.unwrap()
        };
        let mut walked = Vec::new();
        let mut cursor = String::new();
        loop {
            let found = page(format!("limit=3{cursor}")).await;
            walked.extend(found.items);
            match found.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(walked.len(), 7);
        assert!(walked.is_sorted_by(|newer, older| newer.id > older.id));
        let newest = &walked[0];
        assert_eq!((newest.annotator.as_str(), newest.blind, newest.through), ("bob", false, LabelledIn::Review));
        assert_eq!((newest.campaign, newest.prediction, newest.seen.clone()), (other.id, photos[0], Seen::NotFood));
        assert_eq!(page("standing=false".to_owned()).await.items.len(), 1);
        assert_eq!(page("annotator=ann&standing=true".to_owned()).await.items.len(), 5);
        assert_eq!(page(format!("campaign={}", other.id)).await.items.len(), 1);
        assert_eq!(page(format!("prediction={}", photos[0])).await.items.len(), 3);
        for bad in ["limit=0", "cursor=nonsense", "colour=red"] {
            problem(test.get(&format!("/api/v1/annotations?{bad}")).bearer_auth(&reader).send().await.unwrap(), 400).await;
        }
        let ann = Browser::signed_in(&test, "ann", Role::Annotator).await;
        problem(ann.get("/api/v1/annotations").send().await.unwrap(), 403).await;
        test.stop().await;
    };

    a_blind_campaign_tells_an_annotator_nothing_of_the_answer => async |database| {
        let test = TestApp::start(database).await;
        let photos = test.copies_of_a_photo(4).await;
        // Words and numbers that stand nowhere else.
        test.sql("UPDATE predictions SET predicted_class = 'Zyzzyva', confidence = 0.73109, corrected_class = 'Quixotry', \
                  model_version = 'unheard-of', flag = 'bad_photo'").await;
        let operator = test.operator().await;
        let known = test.prediction(photos[0], &operator).await;
        assert_eq!((known.predicted_class.as_str(), known.corrected_class.as_deref()), ("Zyzzyva", Some("Quixotry")));
        let campaign = test.campaign("blind", true, &photos, |_| 1).await;
        let ann = Browser::signed_in(&test, "ann", Role::Annotator).await;

        let page = format!("/review?campaign={}", campaign.id);
        let tasks = next(&ann, campaign.id, 2).await;
        let image = format!("/api/v1/review/tasks/{}/image", tasks[0].id);
        let said: GivenAnnotation = annotate(&ann, tasks[1].id, &class("Soup")).await.json().await.unwrap();
        let form = [("campaign", campaign.id.to_string()), ("task", tasks[0].id.to_string()), ("answer", "class:Soup".to_owned())];
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let wrong = [form[0], form[1], ("answer", "class:Pizza")];
        let answers = [
            ann.get("/review").send().await.unwrap(),
            ann.get(&page).send().await.unwrap(),
            ann.get("/api/v1/review/next?count=9").send().await.unwrap(),
            ann.post(&format!("/api/v1/review/next?campaign={}&count=9", campaign.id)).send().await.unwrap(),
            ann.get(&image).send().await.unwrap(),
            ann.get(&format!("{image}?size=1024")).send().await.unwrap(),
            ann.get(&format!("{image}?size=5")).send().await.unwrap(),
            annotate(&ann, tasks[1].id, &class("Egg")).await,
            annotate(&ann, tasks[1].id, &class("Pizza")).await,
            ann.delete(&format!("/api/v1/annotations/{}", said.id)).send().await.unwrap(),
            ann.send_form("/review/answer", &wrong).await,
            ann.send_form("/review/answer", &form).await,
            ann.post(&format!("/api/v1/review/tasks/{}/skip", tasks[1].id)).send().await.unwrap(),
            ann.delete(&format!("/api/v1/review/tasks/{}/skip", tasks[1].id)).send().await.unwrap(),
            ann.get(&format!("/api/v1/predictions/{}", photos[0])).send().await.unwrap(),
        ];
        let mut secrets = vec!["Zyzzyva".to_owned(), "Quixotry".into(), "0.731".into(), "73%".into(), known.key[..8].into(),
            "unheard-of".into(), known.key.clone(), "bad_photo".into()];
        secrets.extend(photos.iter().flat_map(|photo| [photo.to_string(), photo.as_uuid().simple().to_string()]));
        let mut looked_at = 0;
        for answer in answers {
            let path = answer.url().to_string();
            let asked_by_id = path.contains("/predictions/");
            let head = format!("{:?}", answer.headers());
            let body = answer.bytes().await.unwrap();
            let text = format!("{head}\n{}", String::from_utf8_lossy(&body));
            looked_at += body.len();
            for secret in &secrets {
                // Whoever asks with an id has it already; the answer repeats nothing but that it is not theirs.
                assert!(asked_by_id || !text.contains(secret.as_str()), "{path} tells {secret}: {text}");
            }
            assert!(!asked_by_id || !text.contains("Zyzzyva"));
        }
        assert!(looked_at > 10_000, "only {looked_at} bytes were looked at");

        // The same words are told where the campaign is not blind: the test could have found them.
        let shown = test.campaign("shown", false, &photos, |_| 1).await;
        let text = ann.post(&format!("/api/v1/review/next?campaign={}", shown.id)).send().await.unwrap().text().await.unwrap();
        assert!(text.contains("Zyzzyva") && text.contains("0.731") && text.contains("Quixotry"), "{text}");
        test.stop().await;
    };

    with_scripts_off_every_step_is_a_form_that_leads_on => async |database| {
        let test = TestApp::start(database).await;
        let photos = test.copies_of_a_photo(3).await;
        let campaign = test.campaign("forms", true, &photos, |_| 1).await;
        let ann = Browser::signed_in(&test, "ann", Role::Annotator).await;
        let id = campaign.id.to_string();
        let shown = async |address: &str| ann.get(address).send().await.unwrap().text().await.unwrap();
        let to = async |path: &str, fields: &[(&str, &str)]| -> String {
            let answer = ann.send_form(path, fields).await;
            assert_eq!(answer.status(), 303, "{path} {fields:?}");
            answer.headers()["location"].to_str().unwrap().to_owned()
        };
        let tasks: Vec<String> = campaign.tasks.iter().map(Uuid::to_string).collect();
        let first = shown("/review").await;
        assert!(first.contains(&tasks[0]) && !first.contains(&tasks[1]), "one photo, and only that is taken");

        let at = to("/review/answer", &[("campaign", &id), ("task", &tasks[0]), ("answer", "class:Noodles/Pasta")]).await;
        let page = shown(&at).await;
        assert!(page.contains(&tasks[1]) && page.contains("1 of 3"), "{at}");
        let said = at.split_once("said=").unwrap().1.to_owned();
        let at = to("/review/undo", &[("campaign", &id), ("said", &said)]).await;
        assert!(shown(&at).await.contains(&tasks[0]));

        let at = to("/review/skip", &[("campaign", &id), ("task", &tasks[0])]).await;
        assert!(at.ends_with(&format!("skipped={}", tasks[0])));
        let at = to("/review/undo", &[("campaign", &id), ("skipped", &tasks[0])]).await;
        assert!(shown(&at).await.contains(&tasks[0]));

        for (task, answer) in tasks.iter().zip(["not_food", "unreadable", "class:Soup"]) {
            shown("/review").await;
            to("/review/answer", &[("campaign", &id), ("task", task), ("answer", answer)]).await;
        }
        assert!(shown("/review").await.contains("All done."));

        // What cannot be is said on the page, with its status, and changes nothing.
        let rows = test.count("annotations").await;
        for (fields, status) in [
            (vec![("campaign", id.as_str()), ("task", tasks[0].as_str()), ("answer", "class:Pizza")], 422),
            (vec![("campaign", id.as_str()), ("task", tasks[0].as_str()), ("answer", "soup")], 400),
            (vec![("campaign", id.as_str()), ("task", id.as_str()), ("answer", "not_food")], 404),
            (vec![("answer", "not_food")], 400),
        ] {
            let answer = ann.send_form("/review/answer", &fields).await;
            assert_eq!(answer.status(), status, "{fields:?}");
            assert!(answer.text().await.unwrap().contains("role=\"alert\""), "{fields:?}");
        }
        assert_eq!(test.count("annotations").await, rows);
        assert_eq!(ann.get(&format!("/review?campaign={}", Uuid::now_v7())).send().await.unwrap().status(), 404);

        let visitor = Browser::open(&test).await;
        let away = visitor.send_form("/review/answer", &[("answer", "not_food")]).await;
        assert_eq!((away.status().as_u16(), away.headers()["location"].to_str().unwrap()), (303, "/login?next=%2Freview"));
        test.stop().await;
    };
}

async fn next(browser: &Browser, campaign: Uuid, count: u16) -> Vec<ReviewTask> {
    let answer = browser.post(&format!("/api/v1/review/next?campaign={campaign}&count={count}")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json::<ReviewTasks>().await.unwrap().tasks
}

async fn annotate(browser: &Browser, task: Uuid, seen: &Seen) -> reqwest::Response {
    browser.post("/api/v1/annotations").json(&json!({ "task": task, "seen": seen })).send().await.unwrap()
}

#[tokio::test]
async fn labels_carry_a_name() {
    let test = TestApp::start(Database::Sqlite).await;
    let photos = test.copies_of_a_photo(1).await;
    let campaign = test.campaign("names", true, &photos, |_| 1).await;
    // A machine that may do everything has one.
    let machine = test.operator().await;
    let answer = test.post(&format!("/api/v1/review/next?campaign={}", campaign.id)).bearer_auth(&machine).send().await;
    let tasks: ReviewTasks = answer.unwrap().json().await.unwrap();
    let body = json!({ "task": tasks.tasks[0].id, "seen": { "answer": "class", "label": "Soup" }, "took_ms": 12 });
    let said = test.post("/api/v1/annotations").bearer_auth(&machine).json(&body).send().await.unwrap();
    assert_eq!(said.status(), 201);
    let said: Value = said.json().await.unwrap();
    let listed: AnnotationPage =
        test.get("/api/v1/annotations").bearer_auth(&machine).send().await.unwrap().json().await.unwrap();
    assert_eq!(listed.items[0].id.to_string(), said["id"]);
    assert!(listed.items[0].annotator.starts_with("token:") && listed.items[0].took_ms == Some(12));

    // An operator who came by a link has none yet.
    let link = OperatorLink::issue(test.app.catalog()).await.unwrap().url(&test.url.parse().unwrap()).unwrap();
    let operator = Browser::open(&test).await;
    let token = link.expose_secret().split_once("token=").unwrap().1.to_owned();
    assert_eq!(operator.send_form("/login/link", &[("token", &token)]).await.status(), 303);
    let refused = problem(operator.post("/api/v1/review/next").send().await.unwrap(), 403).await;
    assert!(refused.detail.contains("/login/account"), "{}", refused.detail);
    let page = operator.get("/review").send().await.unwrap();
    assert_eq!(page.status(), 403);
    assert!(page.text().await.unwrap().contains("Make an account"));
    test.stop().await;
}
