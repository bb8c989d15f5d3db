//! Campaigns from the outside: by API and by the page's forms.

use std::collections::HashSet;

use gourmetgram::accounts::Scope;
use gourmetgram_api::{
    Campaign, CampaignList, CampaignName, CampaignPreset, CampaignPreview, CampaignRule, FlagReason, NewCampaign,
    PredictionId, Role, Run, RunState, Selected,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    on_both_databases,
    photos::{copies, minute, photo, photos, tasks},
    reindexing::{done, gourmetgram},
    support::{Browser, TestApp, eventually, problem},
};

/// What lies between two minutes, as the API takes it.
fn span(from: i64, to: i64) -> Value {
    json!({ "start": minute(from), "end": minute(to) })
}

/// The value of a tag's attribute.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split_once(&format!(" {name}=\""))?.1.split('"').next()?;
    Some(value.replace("&amp;", "&"))
}

/// The tags of a page, each with the text that follows it.
fn tags(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split('<').filter_map(|tag| tag.split_once('>'))
}

/// What a page says is wrong with a field of its form, and the tag that refers to it.
fn fault<'a>(page: &'a str, field: &str) -> (&'a str, &'a str) {
    let id = format!("{field}-error");
    let refers = |tag: &str| attribute(tag, "aria-describedby").is_some_and(|ids| ids.split(' ').any(|it| it == id));
    let said = tags(page).find(|(tag, _)| attribute(tag, "id").as_deref() == Some(id.as_str()));
    let about = tags(page).find(|(tag, _)| refers(tag));
    match (said, about) {
        (Some((_, said)), Some((about, _))) => (said, about),
        _ => panic!("nothing is said at {field}, or {field} does not refer to it, in {page}"),
    }
}

/// What a browser without scripts would send of the page's form as it stands: each field with its value.
fn filled_in(page: &str) -> Vec<(String, String)> {
    let form = page.split("<form").find(|form| form.contains("campaigns__form")).expect("there is no form");
    let form = form.split("</form>").next().unwrap();
    let has = |tag: &str, word: &str| tag.split([' ', '=', '>']).any(|it| it == word);
    let (mut fields, mut select) = (Vec::new(), None);
    for tag in form.split('<').filter_map(|tag| tag.split_once('>').map(|(tag, _)| format!("{tag} "))) {
        let value = attribute(&tag, "value").unwrap_or_default();
        if tag.starts_with("input ") {
            let is_tick =
                ["radio", "checkbox"].map(String::from).contains(&attribute(&tag, "type").unwrap_or_default());
            if !is_tick || has(&tag, "checked") {
                fields.push((attribute(&tag, "name").unwrap(), value));
            }
        } else if tag.starts_with("select ") {
            select = attribute(&tag, "name");
            fields.push((select.clone().unwrap(), String::new()));
        } else if tag.starts_with("option ") {
            let (_, chosen) = fields.iter_mut().rfind(|(name, _)| Some(name) == select.as_ref()).unwrap();
            // The first one stands where none is said to.
            if chosen.is_empty() || has(&tag, "selected") {
                *chosen = value;
            }
        }
    }
    fields
}

on_both_databases! {
    the_tutorials_five_projects_are_one_request_each => async |database| {
        let test = TestApp::start(database).await;
        photos(&test.app, 5, 0..40).await;
        let operator = test.operator().await;
        let mut chosen = Vec::new();
        for preset in CampaignPreset::ALL {
            let made = test.post("/api/v1/campaigns").bearer_auth(&operator).json(&json!({ "preset": preset }));
            let made = made.send().await.unwrap();
            assert_eq!(made.status(), 201);
            let made: Campaign = made.json().await.unwrap();
            assert_eq!(made.asked.name, preset.title());
            assert!(made.asked.seed.is_some());
            let select = test.post(&format!("/api/v1/campaigns/{}/select", made.id)).bearer_auth(&operator);
            let dry = json!({ "start": minute(0), "end": minute(30), "dry_run": true });
            let selected: Selected = select.json(&dry).send().await.unwrap().json().await.unwrap();
            assert_eq!(selected.considered, 40);
            chosen.push(selected.chosen);
            let select = test.post(&format!("/api/v1/campaigns/{}/select", made.id)).bearer_auth(&operator);
            let run: Run = select.json(&span(0, 30)).send().await.unwrap().json().await.unwrap();
            let considered = async || {
                let campaign = test.app.catalog().campaign(&CampaignName::Id(made.id)).await.unwrap().unwrap();
                assert_eq!(run.campaign, Some(made.id));
                campaign.progress.considered == 40 && campaign.progress.chosen == selected.chosen
            };
            eventually("the run has chosen", considered).await;
        }
        // Of ten photos one is unsure, one flagged, one relabelled.
        assert_eq!((chosen[0], chosen[2], chosen[3]), (40, 4, 4));
        assert!(chosen[1] < 40 && (12..40).contains(&chosen[4]), "{chosen:?}");
        let list: CampaignList =
            test.get("/api/v1/campaigns").bearer_auth(&operator).send().await.unwrap().json().await.unwrap();
        let names: Vec<&str> = list.campaigns.iter().map(|it| it.asked.name.as_str()).collect();
        assert_eq!(names, ["Continuous", "User Flagged", "Low Confidence", "Random Sample", "Production"]);
        assert_eq!(list.campaigns[4].progress.chosen, 40);
        test.stop().await;
    };

    each_of_the_five_is_looked_at_and_made_by_the_pages_form_and_looked_at_by_command => async |database| {
        let test = TestApp::start(database).await;
        let now = gourmetgram::catalog::now();
        photos(&test.app, (now - minute(0)).num_minutes() - 5, 0..40).await;
        let token = test.operator().await;
        let operator = Browser::signed_in(&test, "otto", Role::Operator).await;
        let text = async |path: &str| {
            let answer = operator.get(path).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            answer.text().await.unwrap()
        };
        let interval = json!({ "start": now - chrono::TimeDelta::minutes(30), "end": now });
        for (number, preset) in CampaignPreset::ALL.into_iter().enumerate() {
            // The page has a link to each; the form it leads to is filled in.
            let link = format!("/campaigns?preset={preset}");
            assert!(text("/campaigns").await.contains(&format!("href=\"{link}#new\"")), "{preset}");
            let form = filled_in(&text(&link).await);
            let query = |form: &[(String, String)]| {
                url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
            };

            // What the same form says to "Preview" is what the API says.
            let ahead = text(&format!("/campaigns?{}", query(&form))).await;
            let looked = ahead.matches("alt=\"A photo that would be chosen\"").count();
            let chosen = ahead.split_once("It would choose ").unwrap().1.split(' ').next().unwrap();
            let chosen: usize = chosen.parse().unwrap();
            assert_eq!(looked, chosen.min(24), "{preset}");
            match preset {
                CampaignPreset::Production => assert_eq!(chosen, 40),
                CampaignPreset::LowConfidence | CampaignPreset::UserFlagged => assert_eq!(chosen, 4),
                CampaignPreset::RandomSample => assert!(chosen < 40, "{chosen}"),
                CampaignPreset::Continuous => assert!((12..40).contains(&chosen), "{chosen}"),
            }
            let says = if preset.campaign("").blind { "accuracy over that time is known" } else { "say nothing about accuracy" };
            assert!(chosen == 0 || ahead.contains(says), "{preset}: {ahead}");
            assert_eq!(test.count("campaigns").await.unsigned_abs() as usize, number, "looking makes nothing");

            // And to "Create campaign" it makes the very campaign.
            assert!(ahead.contains("formmethod=\"post\""), "the form's second button makes it");
            let form = filled_in(&ahead);
            let fields: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let made = operator.send_form("/campaigns", &fields).await;
            assert_eq!((made.status().as_u16(), made.headers()["location"].to_str().unwrap()), (303, "/campaigns?done=made"));
            assert!(text("/campaigns?done=made").await.contains(preset.title()));
            let made = test.app.catalog().campaign(&CampaignName::from(preset.title())).await.unwrap().unwrap();
            let asked = preset.campaign(preset.title());
            assert_eq!(NewCampaign { seed: None, ..made.asked }, NewCampaign { seed: None, ..asked.clone() });

            // By command, of what is in the catalog, with a seed that makes chance repeatable.
            let asked = NewCampaign { seed: Some(7), ..asked };
            let body = json!({ "campaign": asked, "start": interval["start"], "end": interval["end"] });
            let by_api = test.post("/api/v1/campaigns/preview").bearer_auth(&token).json(&body).send().await.unwrap();
            let by_api: CampaignPreview = by_api.json().await.unwrap();
            let (data, url) = (test.data.path().to_owned(), test.app.settings().catalog_url());
            let times: Vec<String> = ["start", "end"].map(|it| interval[it].as_str().unwrap().to_owned()).to_vec();
            let by_command = tokio::task::spawn_blocking(move || {
                let (start, end) = (times[0].as_str(), times[1].as_str());
                let words = ["campaign", "preview", "--preset", preset.as_str(), "--seed", "7", "--start", start, "--end", end, "--json"];
                done(&gourmetgram(&data, Some(url.expose_secret()), &words))
            });
            let by_command: CampaignPreview = serde_json::from_value(by_command.await.unwrap()).unwrap();
            assert_eq!(by_command, by_api, "{preset}");
            assert_eq!(by_command.selected.considered, 40);
            assert_eq!(by_command.photos.len() as u64, by_command.selected.chosen.min(24));
        }
        test.stop().await;
    };

    a_campaign_is_previewed_made_selected_and_archived => async |database| {
        let test = TestApp::start(database).await;
        let (unsure, sure) = (photo(&test.app, 5, 1, 0.4).await, photo(&test.app, 6, 2, 0.95).await);
        let token = test.token(&[Scope::CampaignsRead, Scope::CampaignsWrite]).await;
        let asked = json!({ "name": " Unsure ", "rule": { "kind": "low_confidence" }, "double_share": 0 });
        let preview = json!({ "campaign": asked, "start": minute(0), "end": minute(30) });
        let preview = test.post("/api/v1/campaigns/preview").bearer_auth(&token).json(&preview).send().await.unwrap();
        assert_eq!(preview.status(), 200);
        let preview: CampaignPreview = preview.json().await.unwrap();
        assert_eq!(preview.photos, [unsure]);
        assert!(preview.half_width.is_some_and(|half| half > 0.1));

        let made = test.post("/api/v1/campaigns").bearer_auth(&token).json(&asked).send().await.unwrap();
        let made: Campaign = made.json().await.unwrap();
        assert_eq!(made.asked.name, "Unsure");
        let path = format!("/api/v1/campaigns/{}", made.id);
        let taken = test.post("/api/v1/campaigns").bearer_auth(&token).json(&asked).send().await.unwrap();
        assert!(problem(taken, 409).await.detail.contains("Unsure"));

        let dry = json!({ "start": minute(0), "end": minute(30), "dry_run": true });
        let dry = test.post(&format!("{path}/select")).bearer_auth(&token).json(&dry).send().await.unwrap();
        assert_eq!(dry.status(), 200);
        let dry: Selected = dry.json().await.unwrap();
        assert_eq!((dry.dry_run, dry.chosen, dry.confident, dry.batch), (true, 1, 1, None));
        assert_eq!((test.count("runs").await, test.count("tasks").await), (0, 0));
        let select = async |body: Value| {
            let answer = test.post(&format!("{path}/select")).bearer_auth(&token).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 202);
            let mut run: Run = answer.json().await.unwrap();
            assert_eq!((run.pipeline.as_str(), run.campaign), ("select", Some(made.id)));
            eventually("the run is over", async || {
                run = test.app.catalog().run(run.id).await.unwrap().unwrap();
                run.state.is_over()
            })
            .await;
            assert_eq!(run.state, RunState::Succeeded, "{run:?}");
            run
        };
        let real = select(span(0, 30)).await;
        assert_eq!((real.counts["considered"], real.counts["chosen"]), (2, 1));
        assert_eq!(select(span(0, 30)).await.id, real.id);
        assert_eq!(test.count("tasks").await, 1);
        // Told nothing, it takes the last half hour, in which nothing came.
        let usual = select(json!({})).await;
        assert_eq!((usual.end - usual.start, usual.counts["considered"]), (chrono::TimeDelta::minutes(30), 0));
        test.settle().await;
        let connection = test.connect().await;
        let task = tasks(&connection, made.id).await[0].id;
        let found: HashSet<String> = copies(&test.app).await.into_iter().map(|(_, key, _)| key).collect();
        assert_eq!(found, HashSet::from([format!("blind/{task}.jpg"), format!("class_00/{sure}.jpg")]));

        let read = test.get(&path).bearer_auth(&token).send().await.unwrap();
        assert_eq!(read.json::<Campaign>().await.unwrap().progress.considered, 2);
        for _ in 0..2 {
            assert_eq!(test.delete(&path).bearer_auth(&token).send().await.unwrap().status(), 204);
        }
        let refused = test.post(&format!("{path}/select")).bearer_auth(&token).send().await.unwrap();
        assert!(problem(refused, 409).await.detail.contains("archived"));
        let read: Campaign = test.get(&path).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        assert!(read.archived_at.is_some());
        test.stop().await;
    };

    what_cannot_be_is_refused_with_the_reason_and_makes_nothing => async |database| {
        let test = TestApp::start(database).await;
        let operator = test.operator().await;
        let everything = json!({ "kind": "everything" });
        for (body, why) in [
            (json!({ "rule": everything }), "name"),
            (json!({ "name": " ", "rule": everything }), "1 to 80 characters"),
            (json!({ "name": "a\u{7}", "rule": everything }), "control"),
            (json!({ "name": "a".repeat(81), "rule": everything }), "1 to 80"),
            (json!({ "name": "a", "rule": { "kind": "nothing" } }), "nothing"),
            (json!({ "name": "a", "rule": { "kind": "random", "draw": { "rate": 0 } } }), "rate is 0"),
            (json!({ "name": "a", "rule": { "kind": "random", "draw": { "per_interval": 0 } } }), "per_interval"),
            (json!({ "name": "a", "rule": { "kind": "low_confidence", "unsure": { "threshold": 7 } } }), "threshold is 7"),
            (json!({ "name": "a", "rule": { "kind": "flagged", "at_most": 0 } }), "at_most"),
            (json!({ "name": "a", "rule": everything, "double_share": 1.5 }), "double_share is 1.5"),
            (json!({ "name": "a", "rule": everything, "starts_at": minute(5), "ends_at": minute(5) }), "ends_at"),
            (json!({ "name": "a", "rule": everything, "color": "red" }), "color"),
            (json!({ "preset": "everything" }), "everything"),
            (json!({ "preset": "production", "rule": everything }), "rule"),
            (json!({ "name": "a", "rule": everything, "schedule": "hourly" }), "five fields of cron"),
            (json!([]), "JSON"),
        ] {
            let refused = test.post("/api/v1/campaigns").bearer_auth(&operator).json(&body).send().await.unwrap();
            let refused = problem(refused, 400).await;
            assert!(refused.detail.contains(why), "{body}: {}", refused.detail);
        }
        assert_eq!(test.count("campaigns").await, 0);
        let refused = json!({ "campaign": { "name": "a", "rule": everything }, "start": minute(9), "end": minute(9) });
        let refused = test.post("/api/v1/campaigns/preview").bearer_auth(&operator).json(&refused);
        assert!(problem(refused.send().await.unwrap(), 400).await.detail.contains("end must be after start"));
        for id in ["01890a5d-ac96-774b-bcce-b302099a8057", "production", "%00"] {
            let path = format!("/api/v1/campaigns/{id}");
            problem(test.get(&path).bearer_auth(&operator).send().await.unwrap(), 404).await;
            problem(test.delete(&path).bearer_auth(&operator).send().await.unwrap(), 404).await;
            let select = test.post(&format!("{path}/select")).bearer_auth(&operator).send().await.unwrap();
            problem(select, 404).await;
        }
        test.stop().await;
    };

    the_page_makes_a_campaign_with_reasons_a_schedule_and_a_window => async |database| {
        let test = TestApp::start(database).await;
        let operator = Browser::signed_in(&test, "otto", Role::Operator).await;
        let form = |schedule, ends_at| {
            [
                ("name", "Not food"),
                ("kind", "flagged"),
                ("reason", "not_food"),
                ("reason", "bad_photo"),
                ("schedule", schedule),
                ("starts_at", "2999-11-24T10:00"),
                ("ends_at", ends_at),
            ]
        };
        // What is wrong is said at its field, what was written stays, and nothing is made.
        for (fields, at, why) in [
            (form("61 * * * *", ""), "schedule", "has not the five fields of cron"),
            (form("hourly", ""), "schedule", "has not the five fields of cron"),
            (form("0 * * * *", "2999-11-24T10:00"), "ends_at", "must be later than “Photos received from”"),
            (form("0 * * * *", "later"), "ends_at", "is no time"),
        ] {
            let refused = operator.send_form("/campaigns", &fields).await;
            assert_eq!(refused.status(), 400);
            let page = refused.text().await.unwrap();
            let (said, about) = fault(&page, at);
            assert!(said.contains(why) && !page.contains("ends_at must be"), "{why} in {page}");
            assert_eq!(attribute(about, "name").as_deref(), Some(at));
            assert_eq!(attribute(about, "aria-invalid").as_deref(), Some("true"), "{at}");
            let kept = filled_in(&page);
            for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
                assert!(kept.contains(&(name.to_owned(), value.to_owned())), "{name}={value} in {kept:?}");
            }
        }
        for (kind, at, value, why) in [
            ("flagged", "name", "\u{7}", "1 to 80 characters"),
            ("continuous", "rate", "0", "write a number greater than 0, at most 100"),
            ("continuous", "rate", "101", "write a number greater than 0, at most 100"),
            ("low_confidence", "threshold", "-1", "from 0 to 100"),
            ("low_confidence", "threshold", "much", "no number of percent"),
            ("corrected", "at_most", "0", "1 or more"),
            ("everything", "double", "200", "from 0 to 100"),
            ("everything", "labelled_in", "label_studio", "or choose “GourmetGram’s review”"),
        ] {
            let name = if at == "name" { value } else { "Faulty" };
            let mut fields = vec![("name", name), ("kind", kind)];
            fields.extend((at != "name").then_some((at, value)));
            let refused = operator.send_form("/campaigns", &fields).await;
            assert_eq!(refused.status(), 400, "{at}={value}");
            let page = refused.text().await.unwrap();
            let (said, about) = fault(&page, at);
            assert!(said.contains(why) && !page.contains("campaign labelled in"), "{why} in {page}");
            assert_eq!(attribute(about, "name").as_deref(), Some(at));
            assert_eq!(attribute(about, "aria-invalid").as_deref(), Some("true"), "{at}={value}");
            assert!(filled_in(&page).contains(&(at.to_owned(), value.to_owned())), "{at}={value} is not kept");
        }
        // What is wrong with a reason is said of the boxes together.
        let cold = [("name", "Faulty"), ("kind", "flagged"), ("reason", "cold")];
        let refused = operator.send_form("/campaigns", &cold).await;
        assert_eq!(refused.status(), 400);
        let page = refused.text().await.unwrap();
        let (said, about) = fault(&page, "reason");
        assert!(said.contains("cold") && about.starts_with("fieldset "), "{said} at {about}");
        assert_eq!(attribute(about, "aria-describedby").as_deref(), Some("reasons-hint reason-error"));
        let drawn = [("name", "Faulty"), ("kind", "random"), ("draw", "per_interval")];
        let page = operator.send_form("/campaigns", &drawn).await.text().await.unwrap();
        let (said, about) = fault(&page, "per_interval");
        assert!(said.contains("say how many") && attribute(about, "aria-invalid").is_some(), "{said} at {about}");
        assert_eq!((test.count("campaigns").await, test.count("runs").await), (0, 0));
        // No more can be written into a field than it takes.
        let page = operator.get("/campaigns?preset=continuous").send().await.unwrap().text().await.unwrap();
        assert!(page.contains("Greater than 0, at most 100"), "{page}");
        let numbers = ["rate", "per_interval", "threshold", "at_most", "double"].map(|name| (name, 20));
        for (name, longest) in numbers.into_iter().chain([("name", 80), ("schedule", 100)]) {
            let is_it = |tag: &str| attribute(tag, "name").as_deref() == Some(name);
            let (tag, _) = tags(&page).find(|(tag, _)| is_it(tag)).unwrap();
            assert_eq!(attribute(tag, "maxlength"), Some(longest.to_string()), "{name}");
        }

        let made = operator.send_form("/campaigns", &form("0 * * * *", "2999-11-25T10:00")).await;
        assert_eq!(made.status(), 303);
        let made = test.app.catalog().campaign(&CampaignName::from("Not food")).await.unwrap().unwrap().asked;
        let reasons = vec![FlagReason::NotFood, FlagReason::BadPhoto];
        assert_eq!(made.rule, CampaignRule::Flagged { reasons, at_most: None });
        assert_eq!(made.schedule.as_deref(), Some("0 * * * *"));
        assert_eq!(made.starts_at, "2999-11-24T10:00:00Z".parse().ok());
        assert_eq!(made.ends_at, "2999-11-25T10:00:00Z".parse().ok());
        let page = operator.get("/campaigns").send().await.unwrap().text().await.unwrap();
        for words in [
            "What somebody flagged: not food, bad photo",
            "Selects by itself every hour, in UTC",
            "Photos received from 24 Nov 2999, 10:00 UTC until 25 Nov 2999, 10:00 UTC.",
        ] {
            assert!(page.contains(words), "{words} is missing in {page}");
        }
        // The API names the field, too.
        let token = test.operator().await;
        let body = json!({ "name": "x", "rule": { "kind": "everything" }, "schedule": "61 * * * *" });
        let refused = test.post("/api/v1/campaigns").bearer_auth(&token).json(&body).send().await.unwrap();
        assert_eq!(problem(refused, 400).await.field.as_deref(), Some("schedule"));
        test.stop().await;
    };

    the_page_makes_looks_ahead_selects_and_archives_by_plain_forms => async |database| {
        let test = TestApp::start(database).await;
        let now = gourmetgram::catalog::now();
        let ago = |minutes: i64| (now - minute(0)).num_minutes() - minutes;
        let unsure: PredictionId = photo(&test.app, ago(5), 1, 0.4).await;
        photo(&test.app, ago(6), 2, 0.95).await;
        let operator = Browser::signed_in(&test, "otto", Role::Operator).await;
        let text = async |path: &str| {
            let answer = operator.get(path).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            answer.text().await.unwrap()
        };
        let empty = text("/campaigns").await;
        assert!(empty.contains("There is no campaign yet") && empty.contains("?preset=continuous"));
        assert!(!empty.contains("_bg.wasm"), "a document and nothing more");
        assert!(text("/").await.contains(r#"href="/campaigns""#), "it is in the navigation");

        let ahead = text("/campaigns?preset=low-confidence&name=Doubts&hours=0.5").await;
        assert!(ahead.contains("It would choose 1 photo") && ahead.contains(&unsure.to_string()), "{ahead}");
        assert!(ahead.contains("say nothing about accuracy"), "the preset is shown");
        let blind = text("/campaigns?kind=everything&name=All&hours=0.5").await;
        assert!(blind.contains("is known exactly"), "a census");
        assert_eq!(test.count("campaigns").await, 0);

        let form = [("name", "Doubts <1>"), ("kind", "low_confidence"), ("threshold", "70"), ("hours", "0.5")];
        let made = operator.send_form("/campaigns", &form).await;
        assert_eq!((made.status().as_u16(), &made.headers()["location"]), (303, &"/campaigns?done=made".parse().unwrap()));
        let page = text("/campaigns?done=made").await;
        assert!(page.contains("Doubts &lt;1&gt;") && page.contains("The campaign is made"), "{page}");
        let again = operator.send_form("/campaigns", &form).await;
        assert_eq!(again.status(), 409);
        let again = again.text().await.unwrap();
        assert!(again.contains("already") && again.contains(r#"value="Doubts &lt;1&gt;""#), "the form is kept: {again}");
        let wrong = [("name", "x"), ("kind", "random"), ("rate", "lots")];
        let wrong = operator.send_form("/campaigns", &wrong).await;
        assert_eq!(wrong.status(), 400);
        assert!(wrong.text().await.unwrap().contains("is no number of percent"));

        let list: CampaignList = operator.get("/api/v1/campaigns").send().await.unwrap().json().await.unwrap();
        let id = list.campaigns[0].id;
        let selected = operator.send_form(&format!("/campaigns/{id}/select"), &[("hours", "0.5")]).await;
        let run = test.app.catalog().runs(Some("select"), None, 10).await.unwrap().remove(0);
        assert_eq!(selected.headers()["location"], format!("/pipelines/{}", run.id).as_str());
        eventually("the campaign has chosen", async || text("/campaigns").await.contains("0 of 1 labelled")).await;
        let refused = operator.send_form(&format!("/campaigns/{id}/select"), &[("hours", "1e9")]).await;
        assert_eq!(refused.status(), 400);
        let archived = operator.send_form(&format!("/campaigns/{id}/archive"), &[]).await;
        assert_eq!(archived.headers()["location"], "/campaigns?done=archived");
        assert!(text("/campaigns").await.contains("Archived"));
        let refused = operator.send_form(&format!("/campaigns/{id}/select"), &[("hours", "0.5")]).await;
        assert_eq!(refused.status(), 409);

        // Nobody has named a Label Studio.
        let elsewhere = [("name", "There"), ("kind", "everything"), ("labelled_in", "label_studio")];
        let refused = operator.send_form("/campaigns", &elsewhere).await;
        assert_eq!(refused.status(), 400);
        assert!(refused.text().await.unwrap().contains("no Label Studio is set up"));

        // Not for annotators, nor for visitors.
        let annotator = Browser::signed_in(&test, "anna", Role::Annotator).await;
        assert_eq!(annotator.get("/campaigns").send().await.unwrap().status(), 403);
        assert_eq!(annotator.send_form("/campaigns", &[("name", "x")]).await.status(), 403);
        problem(annotator.get("/api/v1/campaigns").send().await.unwrap(), 403).await;
        problem(test.get("/api/v1/campaigns").send().await.unwrap(), 401).await;
        assert_eq!(test.count("campaigns").await, 1);
        test.stop().await;
    };
}
