//! Fewer than thirty labels are no number: what the API says of them, and what the page shows.

use chrono::TimeDelta;
use gourmetgram::catalog::{Said, now};
use gourmetgram_api::{
    CampaignRule, Evaluation, Interval, LabelledIn, LowConfidence, NewCampaign, RandomDraw, Role, Seen,
};

use crate::{
    photos::{asked, campaign, tasks},
    support::{Browser, Database, TestApp},
};

/// What stands on a page, without its markup.
fn words(html: &str) -> String {
    let texts = html.split('<').map(|part| part.split_once('>').map_or("", |(_, text)| text));
    texts.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn with_0_1_29_and_30_labels_api_and_page_say_what_these_carry() {
    let test = TestApp::start(Database::Sqlite).await;
    test.copies_of_a_photo(40).await;
    let rule = CampaignRule::Continuous {
        unsure: LowConfidence::default(),
        low_confidence_at_most: None,
        flagged_at_most: None,
        corrected_at_most: None,
        random: RandomDraw::Rate(1.0),
    };
    let twice = NewCampaign { double_share: 1.0, ..asked("Continuous", rule) };
    let campaign = campaign(&test.app, &twice).await;
    let around = Interval { start: now() - TimeDelta::hours(1), end: now() + TimeDelta::hours(1) };
    test.app.catalog().select(campaign.id, around, false).await.unwrap();
    let token = test.operator().await;
    let operator = Browser::signed_in(&test, "otto", Role::Operator).await;
    let photo =
        test.app.catalog().predictions(gourmetgram::catalog::Whose::Everybodys, &Default::default()).await.unwrap();
    let answer = photo.items[0].predicted_class.clone();
    let classes = test.app.live_model().classes;
    let another = classes.iter().map(|(_, label)| label).find(|label| *label != answer).unwrap().to_owned();
    let connection = test.connect().await;
    let tasks = tasks(&connection, campaign.id).await;
    connection.close().await.unwrap();
    let mut labelled = 0;
    for labels in [0, 1, 29, 30] {
        for (task, place) in tasks.iter().zip(0..labels).skip(labelled) {
            // One answer in four is wrong; both people see the same.
            let label = if place % 4 == 3 { &another } else { &answer };
            let seen = Seen::Class { label: label.clone() };
            for annotator in ["ann", "bob"] {
                let said = Said { annotator, seen: &seen, through: LabelledIn::Review, took_ms: None, at: now() };
                test.app.catalog().annotate(task.id, &said).await.unwrap();
            }
        }
        labelled = labels;
        let enough = labels == 30;
        let asked = test.get("/api/v1/evaluation?window=1d&slice=class").bearer_auth(&token).send().await.unwrap();
        let evaluation: Evaluation = asked.json().await.unwrap();
        let Evaluation { headline, calibration, agreement, .. } = &evaluation;
        for measure in [
            &headline.accuracy,
            &headline.check,
            &headline.tutorial_pooled,
            &evaluation.slices.as_ref().unwrap().items[0].accuracy,
        ] {
            assert_eq!((measure.labels, measure.enough), (labels as u64, enough), "{measure:?}");
            assert_eq!(measure.value.is_some(), labels > 0, "{measure:?}");
        }
        assert_eq!((calibration.labels, calibration.enough), (labels as u64, enough));
        assert_eq!(calibration.brier.is_some(), labels > 0);
        assert_eq!((agreement.fleiss.photos, agreement.fleiss.enough), (labels as u64, enough));
        assert_eq!(agreement.errors.map(|it| (it.photos, it.enough)), (labels > 0).then_some((labels as u64, enough)));
        let precision = evaluation.per_class.iter().find(|class| class.class == answer).unwrap().precision;
        assert_eq!((precision.labels, precision.enough), (labels as u64, enough));
        assert!(!evaluation.confusion.macro_f1_enough, "of most classes nobody has seen a photo");

        gourmetgram::evaluating::tell(&test.app).await.unwrap();
        let metrics = test.get("/metrics").send().await.unwrap().text().await.unwrap();
        let gauge = |name: &str| -> f64 {
            let line =
                metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {metrics}"));
            line.trim().parse().unwrap()
        };
        assert_eq!(gauge("gourmetgram_accuracy ").is_nan(), !enough);
        assert_eq!(gauge("gourmetgram_accuracy_upper "), headline.accuracy.upper);

        let page = operator.get("/dashboard?window=1d&slice=class").send().await.unwrap();
        assert_eq!(page.status(), 200);
        let words = words(&page.text().await.unwrap());
        let small = words.matches(&format!("n too small ({labels})")).count();
        if enough {
            assert_eq!(small, 0, "{words}");
            for said in ["Too early to say", "Not known yet"] {
                assert!(!words.contains(said), "{said}: {words}");
            }
            assert!(words.contains("30 of 40 photos labelled"), "{words}");
        } else {
            // Precision, the slice, three scores of calibration, at least.
            assert!(small >= 5, "{small} times: {words}");
            let first = if labels == 0 { "Not known yet" } else { "Too early to say" };
            assert!(words.contains(first), "{words}");
        }
        if let Some(value) = headline.accuracy.value {
            let written = format!("{:.1}%", value * 100.0);
            assert_eq!(words.contains(&written), enough, "{written} with {labels} labels: {words}");
        }
    }
    test.stop().await;
}
