//! What `/dashboard` says, rendered with figures that are made up here: much, little, and nothing.

#![cfg(feature = "ssr")]

mod figures;
mod walking;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use async_trait::async_trait;
use futures::StreamExt;
use gourmetgram_api::{
    DriftWord, EvaluationQuery, LiveModel, Measure, PredictionId, PredictionQuery, Problem, ProblemKind, ReviewDesk,
    Role, Slice, SliceBy, Slices, SuspectLabels, Takeover, Verdict, Viewer,
};
use gourmetgram_app::{
    backend::{Backend, PageStatus},
    campaigns::{CampaignForm, Campaigns},
    explore::{Explored, PhotoDetails},
    home::Home,
    measured::Measured,
    shell,
    work::{RunShown, WorkShown},
};
use hydration_context::SsrSharedContext;
use leptos::{nonce::provide_nonce, prelude::*};
use leptos_meta::ServerMetaContext;
use leptos_router::location::RequestUrl;
use uuid::Uuid;

/// A backend that answers one question, and only that one.
struct Scale(EvaluationQuery, Result<Measured, Problem>);

fn not_asked<T>() -> Result<T, Problem> {
    Err(Problem::new(ProblemKind::Internal, "nobody asked for this"))
}

#[async_trait]
impl Backend for Scale {
    fn viewer(&self) -> Viewer {
        Viewer { role: Role::Operator, name: Some("otto".to_owned()) }
    }

    fn live_model(&self) -> LiveModel {
        panic!("the dashboard knows the model by its evaluation")
    }

    async fn measured(&self, query: EvaluationQuery) -> Result<Measured, Problem> {
        assert_eq!(query, self.0, "the address asks for something else");
        self.1.clone()
    }

    async fn suspects(&self, query: EvaluationQuery) -> Result<SuspectLabels, Problem> {
        assert_eq!(query, self.0, "the address asks for something else");
        self.1.clone().map(|_| figures::suspects())
    }

    async fn home(&self, _: Option<PredictionId>) -> Result<Home, Problem> {
        not_asked()
    }

    async fn explore(&self, _: Option<PredictionQuery>) -> Result<Explored, Problem> {
        not_asked()
    }

    async fn photo(&self, _: PredictionId, _: PredictionQuery) -> Result<Option<PhotoDetails>, Problem> {
        not_asked()
    }

    async fn campaigns(&self, _: CampaignForm) -> Result<Campaigns, Problem> {
        not_asked()
    }

    async fn review(&self, _: Option<Uuid>) -> Result<ReviewDesk, Problem> {
        not_asked()
    }

    async fn work(&self, _: Option<Uuid>) -> Result<WorkShown, Problem> {
        not_asked()
    }

    async fn run(&self, _: Uuid) -> Result<Option<RunShown>, Problem> {
        not_asked()
    }
}

struct Page {
    status: u16,
    html: String,
}

impl Page {
    /// The page's words, without its markup.
    fn words(&self) -> String {
        walking::words(&self.html)
    }

    fn says(&self, all: &[&str]) {
        let words = self.words();
        for part in all {
            assert!(words.contains(part), "{part:?} is missing in: {words}");
        }
    }
}

async fn render(path: &str, scale: Scale) -> Page {
    // Only the first test of this process gets to do it.
    let _ = any_spawner::Executor::init_tokio();
    let status = Arc::new(AtomicU16::new(200));
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new())));
    let (meta, meta_output) = ServerMetaContext::new();
    let chunks = owner.with(|| {
        let status = Arc::clone(&status);
        provide_context(RequestUrl::new(&format!("http://leptos.dev{path}")));
        provide_context(meta);
        provide_nonce();
        provide_context::<Arc<dyn Backend>>(Arc::new(scale));
        provide_context(PageStatus::new(move |code| status.store(code, Ordering::Relaxed)));
        let options = LeptosOptions::builder().output_name("gourmetgram").site_pkg_dir("pkg/0123").build();
        shell(options).to_html_stream_in_order()
    });
    let body: String = chunks.collect().await;
    let html = meta_output.inject_meta_context(futures::stream::iter([body])).await.collect().await;
    Page { status: status.load(Ordering::Relaxed), html }
}

async fn board(measured: Measured) -> Page {
    let page = render("/dashboard", Scale(EvaluationQuery::default(), Ok(measured))).await;
    assert_eq!(page.status, 200);
    page
}

#[tokio::test]
async fn the_headline_says_number_interval_basis_and_method() {
    let page = board(figures::month()).await;
    page.says(&[
        "78.4 %",
        "75.1% to 81.4%",
        "±3.1 points",
        "412 of 12,034 photos labelled",
        "Every label counts for the photos it was drawn from",
        "412 of 430 drawn photos have a label",
    ]);
}

#[tokio::test]
async fn beside_it_stand_what_was_promised_what_is_wanted_and_what_is_wrong() {
    let page = board(figures::month()).await;
    page.says(&[
        "Random sample alone",
        "Offline, of the model card",
        "84.2%",
        "target 80.0%",
        "What the tutorial would print",
    ]);
    assert!(page.html.contains("<del class=\"lane__struck\">52.9%</del>"), "what is wrong is struck through");
    page.says(&["wrong: labels are of the doubtful photos"]);
}

#[tokio::test]
async fn no_number_is_made_of_too_few_labels() {
    let page = board(figures::few()).await;
    page.says(&["Too early to say", "Between 41.0% and 88.0% so far.", "n too small (12)"]);
    assert!(!page.html.contains("69.4%"), "the estimate from twelve labels stands nowhere");
}

#[tokio::test]
async fn no_estimate_stands_on_the_page_before_thirty_labels_carry_it() {
    for labels in [0, 1, 29, 30] {
        let page = board(figures::resting_on(labels)).await;
        let words = page.words();
        for estimate in figures::ESTIMATES {
            assert_eq!(words.contains(estimate), labels == 30, "{estimate} with {labels} labels: {words}");
        }
        let small = format!("n too small ({labels})");
        assert_eq!(words.contains(&small), labels < 30, "{small}: {words}");
        assert_eq!(words.contains("Not known yet"), labels == 0, "{words}");
        // The interval says by its width how little is known.
        assert_eq!(words.contains("Between 51.1% and 71.1% so far."), (1..30).contains(&labels), "{words}");
    }
}

#[tokio::test]
async fn every_number_s_name_leads_to_what_it_means() {
    let mut measured = figures::month();
    let slice =
        |name: &str| Slice { name: name.to_owned(), photos: 900, accuracy: measured.evaluation.headline.accuracy };
    let items = vec![slice("Soup"), slice("Egg")];
    measured.evaluation.slices = Some(Slices { by: SliceBy::Class, items, too_many: false });
    measured.evaluation.uncounted = 3;
    let query = EvaluationQuery::default;
    let suspects = render("/dashboard/suspects", Scale(query(), Ok(figures::month()))).await;
    let mut names = BTreeSet::new();
    for page in [board(measured).await, suspects] {
        for (name, is_explained) in walking::named_numbers(&page.html) {
            assert!(is_explained, "{name} does not lead to what it means");
            names.insert(name);
        }
    }
    // What the walk has come by, so that it cannot pass by seeing nothing.
    for name in [
        "Accuracy Provisional",
        "Retrain?",
        "Random sample alone 188 labels / Right answers",
        "Accuracy over time",
        "23 Nov / Expected",
        "Soup / Recall",
        "Soup / Accuracy",
        "What is taken for what",
        "Brier score",
        "How confident answers are",
        "Soup / Beginning",
        "Returning visitors",
        "From photo to label",
        "others / Right, to expect",
        "Accuracy, if people err",
        "ann and bob / Agreed",
        "Changes not counted yet",
        "Egg / Margin",
    ] {
        assert!(names.contains(name), "{name} is not among {names:?}");
    }
}

#[tokio::test]
async fn a_window_with_too_many_photos_to_be_taken_apart_says_so_and_what_to_do() {
    let mut measured = figures::month();
    measured.evaluation.slices = Some(Slices { by: SliceBy::Hour, items: Vec::new(), too_many: true });
    let page = board(measured).await;
    page.says(&["this window has more than are looked at at once. Choose a shorter one: The last day"]);
    let address = "href=\"/dashboard?window=1d&amp;model=food64-2&amp;slice=hour\"";
    assert!(page.html.contains(address), "{}", page.html);
}

#[tokio::test]
async fn earlier_verdicts_stand_with_their_accuracy() {
    let page = board(figures::month()).await;
    page.says(&[
        "Not yet, watch it",
        "The class mix has changed: a hint, no proof.",
        "25 Oct 2026, 00:00 UTC No, keep it 82.0% manifest",
    ]);
    assert!(page.html.contains("href=\"/api/v1/evaluation/published/17/manifest\""), "{}", page.html);
    let mut measured = figures::month();
    measured.evaluation.decision.verdict = Verdict::Retrain;
    measured.evaluation.decision.history[0].accuracy.enough = false;
    let page = board(measured).await;
    page.says(&["Yes, retrain", "No, keep it –"]);
    board(figures::few()).await.says(&["Cannot be said yet", "Nothing was published yet."]);
}

#[tokio::test]
async fn without_photos_there_is_one_thing_to_do() {
    let page = board(figures::nothing()).await;
    page.says(&["Nothing measured yet.", "Send the first photo"]);
    assert!(!page.html.contains("<svg class=\"chart"), "nothing is drawn of nothing");
}

#[tokio::test]
async fn without_a_campaign_it_says_how_to_begin() {
    let page = board(figures::without_campaign()).await;
    page.says(&["Not known yet", "Start measuring", "n too small (0)"]);
    assert!(page.html.contains("href=\"/campaigns?preset=continuous\""));
}

#[tokio::test]
async fn every_chart_has_a_name_a_description_and_its_numbers_as_a_table() {
    let page = board(figures::month()).await;
    let figures = page.html.matches("<figure ").count();
    assert_eq!(figures, 3);
    for part in ["role=\"img\"", "The numbers as a table", "class=\"chart__text\""] {
        assert!(page.html.matches(part).count() >= figures, "{part}");
    }
    page.says(&["29 of 30 windows have labels enough", "provisional: labels still come", "another model"]);
}

#[tokio::test]
async fn a_version_is_marked_where_it_began_and_where_it_came_back() {
    let seen = |page: &Page, what: &str| page.html.matches(what).count();
    let (mark, name) = ("class=\"chart__change\"", ">food64-1<");
    let mut measured = figures::month();
    let before = board(measured.clone()).await;
    let back = measured.evaluation.series[20].from;
    measured.evaluation.takeovers = vec![Takeover { at: back, version: "food64-1".to_owned() }];
    let after = board(measured).await;
    assert_eq!(seen(&after, mark), seen(&before, mark) + 1);
    assert_eq!(seen(&after, name), seen(&before, name) + 1, "{}", after.html);
}

#[tokio::test]
async fn the_table_behind_each_chart_has_the_numbers_that_the_api_answers() {
    let measured = figures::month();
    let page = board(measured.clone()).await;
    let evaluation = measured.evaluation;
    let share = |share: f64| match share {
        0.0 => "0%".to_owned(),
        1.0 => "100%".to_owned(),
        _ => format!("{:.1}%", share * 100.0),
    };
    let said = |measure: &Measure| match measure.value {
        Some(value) if measure.enough => {
            format!("{} ({} to {})", share(value), share(measure.lower), share(measure.upper))
        }
        _ => "n too small".to_owned(),
    };
    // The newest first.
    let points = evaluation.series.iter().rev().map(|point| {
        let check = if point.check.enough { share(point.check.value.unwrap()) } else { "–".to_owned() };
        let expected = share(point.expected.unwrap().value);
        let state = if point.provisional { "provisional" } else { "" };
        let day = point.from.format("%-d %b").to_string();
        let labels = point.accuracy.labels.to_string();
        vec![day, said(&point.accuracy), check, expected, labels, point.photos.to_string(), state.to_owned()]
    });
    assert_eq!(walking::table_behind(&page.html, "timeline"), points.collect::<Vec<_>>());
    let bins = evaluation.calibration.reliability.iter().map(|bin| {
        let from = format!("{} to {}", share(bin.from), share(bin.to));
        vec![from, share(bin.confidence), said(&bin.accuracy), bin.accuracy.labels.to_string()]
    });
    assert_eq!(walking::table_behind(&page.html, "reliability"), bins.collect::<Vec<_>>());
    let all: u64 = evaluation.confidence.iter().map(|bin| bin.photos).sum();
    let first: u64 = evaluation.confidence.iter().filter_map(|bin| bin.reference).sum();
    let rows = walking::table_behind(&page.html, "histogram");
    assert_eq!(rows.len(), evaluation.confidence.len());
    for (row, bin) in rows.iter().zip(&evaluation.confidence) {
        assert_eq!(row[1].replace(',', ""), bin.photos.to_string());
        assert_eq!(row[2], share(bin.photos as f64 / all as f64));
        assert_eq!(row[3], share(bin.reference.unwrap() as f64 / first as f64));
    }
}

#[tokio::test]
async fn cells_and_classes_open_their_photos() {
    let page = board(figures::month()).await;
    // What a cell rests on, to the hour: of this class, labelled so in the campaign that counts.
    let when = "&amp;model=food64-2&amp;from=2026-10-25T00%3A00%3A00Z&amp;to=2026-11-24T00%3A00%3A00Z";
    let address = format!("/photos?class=Soup&amp;label=Meat&amp;campaign=Continuous{when}");
    assert!(page.html.contains(&address), "{address}: {}", page.html);
    assert!(page.html.contains(&format!("/photos?class=Soup{when}")), "{}", page.html);
    page.says(&["Bread", "n too small"]);
}

#[tokio::test]
async fn annotators_agreement_is_said_with_its_interval_where_photos_are_enough() {
    let page = board(figures::month()).await;
    page.says(&["Whether annotators agree", "0.78 0.64 to 0.88", "41 of 48 photos: two people said the same"]);
    page.says(&["Accuracy, if people err 83.5% to 84.8% if 7.6% of labels are wrong"]);
    page.says(&["ann and bob 0.80 0.64 to 0.91", "ann and cleo n too small (12)"]);
    assert!(!page.words().contains("0.70"), "the kappa of twelve photos stands nowhere");
    let none = board(figures::without_campaign()).await;
    none.says(&["No photo of this window was labelled by two people."]);
}

#[tokio::test]
async fn the_histogram_has_its_reference_and_what_is_not_tested_is_said() {
    let page = board(figures::month()).await;
    page.says(&["the version’s first photos", "What photos look like : not tested, no embedding is kept."]);
    let nothing = board(figures::without_campaign()).await;
    assert!(!nothing.words().contains("the version’s first photos"));
}

#[tokio::test]
async fn suspect_labels_are_a_page_of_their_own_that_opens_their_photos() {
    let page = board(figures::month()).await;
    assert!(page.html.contains("href=\"/dashboard/suspects?model=food64-2&amp;from=2026-10-25T00%3A00%3A00Z"));
    let query = EvaluationQuery { model: Some("food64-2".to_owned()), ..EvaluationQuery::default() };
    let suspects = render("/dashboard/suspects?model=food64-2", Scale(query, Ok(figures::month()))).await;
    assert_eq!(suspects.status, 200);
    suspects.says(&["Labels the model contradicts", "2 of 91 labels that it contradicts", "−0.979", "0.2%"]);
    assert!(suspects.html.contains("href=\"/photos/01993c6e-5b1c-7c3e-9d51-6f3c2f3f9a01\""), "{}", suspects.html);
    assert!(suspects.html.contains("href=\"/dashboard?model=food64-2\"") && !suspects.html.contains(" style="));
    let refused = render("/dashboard/suspects?from=soon", Scale(EvaluationQuery::default(), not_asked())).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn nothing_on_it_needs_a_style_or_a_script_in_the_markup() {
    for measured in [figures::month(), figures::few(), figures::nothing(), figures::without_campaign()] {
        let page = board(measured).await;
        assert!(!page.html.contains(" style="), "{}", page.html);
        for script in page.html.split("<script").skip(1) {
            assert!(script.contains("src=\"/live.js\""), "none of this goes to the browser: <script{script}");
        }
        assert!(!page.html.contains("NaN") && !page.html.contains("inf%"), "{}", page.words());
    }
}

#[tokio::test]
async fn what_others_wrote_is_text() {
    let mut measured = figures::month();
    let hostile = "<img src=x onerror=alert(1)>\"'</title></script>";
    measured.evaluation.model = hostile.to_owned();
    measured.evaluation.classes[0] = hostile.to_owned();
    measured.evaluation.per_class[0].class = hostile.to_owned();
    measured.evaluation.models[0].version = hostile.to_owned();
    let page = board(measured).await;
    assert!(page.html.contains("&lt;img src=x"), "it is shown, escaped");
    assert!(!page.html.contains("<img src=x"), "{}", page.html);
}

#[tokio::test]
async fn the_address_says_what_is_looked_at() {
    let query = EvaluationQuery {
        window: "7d".parse().ok(),
        model: Some("food64-1".to_owned()),
        step: "hour".parse().ok(),
        slice: "class".parse().ok(),
        ..EvaluationQuery::default()
    };
    let path = "/dashboard?window=7d&from=&to=&model=food64-1&step=hour&slice=class";
    let page = render(path, Scale(query, Ok(figures::month()))).await;
    assert_eq!(page.status, 200);
    for chosen in ["value=\"7d\" selected", "value=\"hour\" selected", "value=\"class\" selected"] {
        assert!(page.html.contains(chosen), "{chosen}: {}", page.html);
    }
}

#[tokio::test]
async fn an_address_that_cannot_be_meant_is_a_bad_request_and_keeps_the_form() {
    let page = render("/dashboard?from=soon", Scale(EvaluationQuery::default(), not_asked())).await;
    assert_eq!(page.status, 400);
    assert!(page.html.contains("role=\"alert\"") && page.html.contains("soon"), "{}", page.html);
    assert!(page.html.contains("action=\"/dashboard\""), "{}", page.html);
}

#[tokio::test]
async fn a_catalog_that_is_down_is_said_so_with_its_status() {
    let down = Problem::new(ProblemKind::Unavailable, "The catalog does not answer.");
    let page = render("/dashboard", Scale(EvaluationQuery::default(), Err(down))).await;
    assert_eq!(page.status, 503);
    page.says(&["The catalog does not answer."]);
}

#[tokio::test]
async fn what_a_number_means_is_a_page_of_the_product() {
    let page = render("/dashboard/statistics", Scale(EvaluationQuery::default(), not_asked())).await;
    assert_eq!(page.status, 200);
    page.says(&["Statistics: what each number means"]);
    assert!(page.html.contains("id=\"accuracy\""), "each heading has an address");
    assert!(!page.html.contains(" style="));
}

#[tokio::test]
async fn the_funnel_says_what_became_of_photos_and_how_long_the_oldest_waits() {
    let page = board(figures::month()).await;
    page.says(&[
        "18 photos wait for a label, the oldest for 2 days.",
        "Photos of this window 12,310 Considered by the campaign 12,034 Drawn for a label 430 Labelled 412 with a class 394 \
         as not food 13 as unreadable 5",
    ]);
    page.says(&["Label photos"]);
    let mut measured = figures::month();
    (measured.evaluation.funnel.backlog, measured.evaluation.funnel.oldest_seconds) = (0, None);
    let page = board(measured).await;
    page.says(&["No photo waits for a label."]);
    assert!(!page.words().contains("Label photos"), "{}", page.words());
}

#[tokio::test]
async fn the_planner_says_what_labels_buy_and_where_to_spend_them() {
    let page = board(figures::month()).await;
    let plan = figures::month().evaluation.plan;
    for point in &plan.curve {
        let name = if point.labels == 0 { "As it is".to_owned() } else { format!("{} labels more", point.labels) };
        page.says(&[&format!("{name} ±{:.1} points", point.half_width * 100.0)]);
    }
    page.says(&[
        "Where the next 200 labels teach most",
        "low confidence 2,310 201 48.0% 62",
        "others 9,628 153 87.0% 138",
    ]);
    board(figures::without_campaign()).await.says(&["Once photos are considered, it stands here"]);
}

#[tokio::test]
async fn jobs_and_the_service_say_what_waits_and_what_failed() {
    let page = board(figures::busy()).await;
    page.says(&[
        "select failed 2026-11-23 23:00 to 2026-11-24 00:00 UTC 24 Nov, 00:30 UTC",
        "tags has not run – when asked",
        "Photos on their way to the store 1,204 the oldest for 3 hours",
        "Changes on their way to the records 37",
        "Changes not counted yet 5 numbers above will still move",
    ]);
    assert!(page.html.contains(&format!("href=\"/pipelines/{}\"", Uuid::from_u128(9))), "{}", page.html);
    board(figures::month()).await.says(&[
        "Photos on their way to the store 0 everything is where it belongs",
        "Changes not counted yet 0 numbers are up to date",
    ]);
}

#[tokio::test]
async fn what_visitors_said_and_did_stands_with_its_counts() {
    let page = board(figures::month()).await;
    let rate = |rate: f64| format!("{:.1}%", rate * 100.0);
    page.says(&[
        "Accepted without complaint 94.4% counted",
        "Flagged 4.2% 512 photos of 12,310",
        &format!("Corrected {} 301 photos of 12,310", rate(0.0245)),
        "Flags that are right 83.1% 76.1% to 90.1%, from 58 labels of flagged photos",
        "Mistakes that are flagged 16.4% 11.4% to 21.4%, from 89 labels of wrong answers",
        "Corrections that are right – n too small (8)",
        "Returning visitors 32.1% 611 of 1,904 visits",
    ]);
}

#[tokio::test]
async fn each_test_of_drift_says_its_word_and_by_what() {
    let page = board(figures::month()).await;
    page.says(&[
        "12,310 photos against the first 1,000, of",
        "by chi-square and Cramér’s V real, too small to matter 0.061; from 0.10 on, the mark, it matters; p = 0.003",
        "by population stability index changed 0.231; from 0.20 on, the mark, it matters; p &lt; 0.001",
        "by Kolmogorov–Smirnov as before 0.031; from 0.10 on, the mark, it matters; p = 0.210",
    ]);
    let mut measured = figures::month();
    measured.evaluation.drift.findings.truncate(1);
    measured.evaluation.drift.findings[0].verdict = DriftWord::TooFew;
    let page = board(measured).await;
    page.says(&["by chi-square and Cramér’s V too few photos"]);
    assert!(!page.words().contains("0.061"), "what so few photos show is no number to be shown");
}

#[tokio::test]
async fn devices_that_answered_otherwise_are_counted_and_open() {
    let page = board(figures::month()).await;
    page.says(&[
        "Photos that devices answered 66.1% 8,140 of 12,310 photos",
        "Same version, another class 0.1% 0.1% to 0.3%; 12 photos of 8,140",
        "Other version, another class – no such device answered",
    ]);
    assert!(page.html.contains("device=disagrees"), "{}", page.html);
}

#[tokio::test]
async fn one_photo_is_one_photo() {
    let page = board(figures::one()).await;
    page.says(&[
        "food64-2, 1 photo from",
        "Not known yet",
        "Label 1 photo",
        "1 photo waits for a label, for 90 seconds.",
        "0 of 1 drawn photos have a label",
        "Same version, another class 100% 20.7% to 100%; 1 photo of 1",
        "Flagged 100% 1 photo of 1",
        "1 photo. Most of them, 100%",
        // What the model itself expects needs no label.
        "61.0%",
    ]);
    let words = page.words();
    assert!(!words.contains(" 1 photos"), "{words}");
    assert!(!page.html.contains("NaN") && !page.html.contains("inf%"), "{words}");
}
