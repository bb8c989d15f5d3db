//! What the server sends before any script has run, rendered with a backend that is none.

#![cfg(feature = "ssr")]

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use async_trait::async_trait;
use futures::StreamExt;
use gourmetgram_api::{
    Campaign, CampaignPreset, CampaignPreview, CampaignProgress, ClassIndex, ClassProbability, Classes, Confidence,
    Cursor, EvaluationQuery, Facets, FlagOutcome, FlagReason, FlagResult, FlagsAnswer, LiveModel, Neighbours,
    NewCampaign, ObjectState, PhotoStratum, Place, Prediction, PredictionId, PredictionPage, PredictionQuery, Problem,
    ProblemKind, ReviewCampaign, ReviewDesk, ReviewTask, Role, Selected, StorageState, StoredObject, StoredObjects,
    StratumCounts, SuspectLabels, Total, UploadLimits, Viewer,
};
use gourmetgram_app::{
    backend::{Backend, PageStatus, PostedFlags, PostedProblem},
    campaigns::{CampaignForm, Campaigns},
    explore::{Card, CardPage, Explored, PhotoDetails},
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

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// A backend with one photo, or with nothing but an error, and who looks at its pages.
struct Kitchen(Result<Option<Prediction>, Problem>, Viewer);

fn visitor() -> Viewer {
    Viewer::default()
}

fn signed_in(role: Role) -> Viewer {
    Viewer { role, name: Some("ann".to_owned()) }
}

#[async_trait]
impl Backend for Kitchen {
    fn viewer(&self) -> Viewer {
        self.1.clone()
    }

    fn live_model(&self) -> LiveModel {
        model()
    }

    async fn work(&self, _before: Option<Uuid>) -> Result<WorkShown, Problem> {
        Ok(WorkShown::default())
    }

    async fn run(&self, _id: Uuid) -> Result<Option<RunShown>, Problem> {
        Ok(None)
    }

    async fn measured(&self, _query: EvaluationQuery) -> Result<Measured, Problem> {
        Err(Problem::new(ProblemKind::NotFound, "nothing is measured here"))
    }

    async fn suspects(&self, _query: EvaluationQuery) -> Result<SuspectLabels, Problem> {
        Err(Problem::new(ProblemKind::NotFound, "nothing is measured here"))
    }

    async fn home(&self, shown: Option<PredictionId>) -> Result<Home, Problem> {
        let photo = self.0.clone()?;
        Ok(Home {
            model: model(),
            shown: photo.clone().filter(|photo| Some(photo.id) == shown),
            mine: PredictionPage { items: photo.into_iter().collect(), ..PredictionPage::default() },
        })
    }

    async fn explore(&self, query: Option<PredictionQuery>) -> Result<Explored, Problem> {
        let photo = self.0.clone()?.filter(|_| query.is_some());
        let number = u32::from(photo.is_some());
        Ok(Explored {
            facets: Facets { classes: vec!["Bread".to_owned(), "Soup".to_owned()], ..Facets::default() },
            page: CardPage {
                next_cursor: photo.as_ref().map(|_| Cursor("further".to_owned())),
                cards: photo.into_iter().map(Card::from).collect(),
                total: Some(Total { counted: number, or_more: false }),
            },
            unusable: None,
        })
    }

    async fn photo(&self, id: PredictionId, _: PredictionQuery) -> Result<Option<PhotoDetails>, Problem> {
        let objects = [(Place::Production, ObjectState::Unknown), (Place::Clean, ObjectState::Absent)];
        let objects = objects.map(|(place, found)| StoredObject {
            place,
            bucket: place.as_str().to_owned(),
            key: format!("class_00/{ID}.jpg"),
            found,
        });
        Ok(self.0.clone()?.filter(|photo| photo.id == id).map(|prediction| PhotoDetails {
            prediction,
            classes: vec!["Bread".to_owned(), "Soup".to_owned()],
            objects: StoredObjects { objects: objects.to_vec() },
            neighbours: Neighbours { previous: None, next: Some(id) },
        }))
    }

    async fn campaigns(&self, form: CampaignForm) -> Result<Campaigns, Problem> {
        let photo = self.0.clone()?;
        let preview = form.interval(chrono::Utc::now()).map(|interval| {
            form.campaign().map(|_| CampaignPreview {
                selected: Selected {
                    interval: Some(interval),
                    dry_run: true,
                    batch: None,
                    considered: 20,
                    chosen: 1,
                    twice: 0,
                    confident: 19,
                    strata: vec![StratumCounts {
                        stratum: PhotoStratum::LowConfidence,
                        considered: 20,
                        chosen: 1,
                        inclusion: 0.05,
                    }],
                },
                half_width: Some(0.034),
                photos: photo.iter().map(|photo| photo.id).collect(),
            })
        });
        let campaigns = photo.iter().map(|_| Campaign {
            id: ID.parse().expect("an id"),
            asked: NewCampaign {
                schedule: Some("0 * * * *".to_owned()),
                ends_at: chrono::DateTime::from_timestamp(1_795_516_080, 0),
                ..CampaignPreset::Continuous.campaign("Week <48>")
            },
            created_at: chrono::DateTime::from_timestamp(1_795_429_680, 0).expect("a moment"),
            archived_at: None,
            progress: CampaignProgress { considered: 100, chosen: 12, labelled: 3 },
        });
        Ok(Campaigns { campaigns: campaigns.collect(), troubles: Vec::new(), projects: Vec::new(), preview })
    }

    async fn review(&self, campaign: Option<Uuid>) -> Result<ReviewDesk, Problem> {
        let campaign_of =
            |id, name: &str, labelled| ReviewCampaign { id, name: name.to_owned(), blind: true, photos: 3, labelled };
        let (open, other, done) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
        let campaigns = match self.0.clone()? {
            Some(_) => {
                vec![campaign_of(open, "Open", 1), campaign_of(other, "Other", 0), campaign_of(done, "Finished", 3)]
            }
            None => Vec::new(),
        };
        let task = ReviewTask {
            id: Uuid::from_u128(4),
            campaign: open,
            width: 640,
            height: 480,
            until: chrono::DateTime::from_timestamp(1_795_429_680, 0).expect("a moment"),
            shown: None,
        };
        let tasks = if campaign == Some(open) { vec![task] } else { Vec::new() };
        Ok(ReviewDesk { classes: vec!["Soup".to_owned(), "Bread".to_owned()], campaigns, tasks })
    }
}

fn model() -> LiveModel {
    LiveModel {
        version: "food64-1".to_owned(),
        classes: Classes::new(vec!["Soup".to_owned(), "Bread".to_owned()]).expect("two labels"),
        limits: UploadLimits::default(),
    }
}

fn photo() -> Prediction {
    let probability = |label: &str, probability| ClassProbability { label: label.to_owned(), probability };
    Prediction {
        source: None,
        id: ID.parse().expect("an id"),
        key: format!("class_00/{ID}.jpg"),
        created_at: chrono::DateTime::from_timestamp(1_795_429_680, 0).expect("a moment"),
        predicted_class: "Soup".to_owned(),
        class_index: ClassIndex(0),
        confidence: Confidence::new(0.87).expect("a probability"),
        probabilities: vec![probability("Soup", 0.87), probability("Bread", 0.13)],
        model_version: "food64-1".to_owned(),
        device: None,
        device_comparison: None,
        content_type: "image/jpeg".to_owned(),
        bytes: 45_000,
        width: 960,
        height: 720,
        scaled_from: None,
        storage: StorageState::Stored,
        flag: None,
        corrected_class: None,
        annotation: None,
        places: Vec::new(),
        history: Vec::new(),
    }
}

struct Page {
    status: u16,
    html: String,
}

/// Renders the document at `path`, as an answer to a refused form where `posted` says so.
async fn render(path: &str, kitchen: Kitchen, posted: Option<Problem>) -> Page {
    render_after(path, kitchen, posted, None).await
}

/// The same, also as an answer to a form that flagged photos.
async fn render_after(path: &str, kitchen: Kitchen, posted: Option<Problem>, flags: Option<FlagsAnswer>) -> Page {
    // Only the first test of this process gets to do it.
    let _ = any_spawner::Executor::init_tokio();
    let status = Arc::new(AtomicU16::new(200));
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new())));
    let (meta, meta_output) = ServerMetaContext::new();
    let chunks = owner.with(|| {
        let status = Arc::clone(&status);
        // As the server names it.
        provide_context(RequestUrl::new(&format!("http://leptos.dev{path}")));
        provide_context(meta);
        provide_nonce();
        provide_context::<Arc<dyn Backend>>(Arc::new(kitchen));
        provide_context(PageStatus::new(move |code| status.store(code, Ordering::Relaxed)));
        if let Some(problem) = posted {
            provide_context(PostedProblem(problem));
        }
        if let Some(answer) = flags {
            provide_context(PostedFlags(answer));
        }
        let options = LeptosOptions::builder().output_name("gourmetgram").site_pkg_dir("pkg/0123").build();
        shell(options).to_html_stream_in_order()
    });
    let body: String = chunks.collect().await;
    let html = meta_output.inject_meta_context(futures::stream::iter([body])).await.collect().await;
    Page { status: status.load(Ordering::Relaxed), html }
}

#[tokio::test]
async fn the_answer_is_in_the_document_itself() {
    let page = render(&format!("/?photo={ID}"), Kitchen(Ok(Some(photo())), visitor()), None).await;
    assert_eq!(page.status, 200);
    for part in [
        "<title>Soup · GourmetGram</title>",
        "Quite sure",
        "87%",
        "23 Nov 2026, 10:28 UTC",
        &format!("action=\"/photos/{ID}/flag\""),
        &format!("action=\"/photos/{ID}/correct\""),
        &format!("action=\"/photos/{ID}/erase\""),
    ] {
        assert!(page.html.contains(part), "{part} is missing in {}", page.html);
    }
}

#[tokio::test]
async fn nothing_is_inline_that_the_content_security_policy_forbids() {
    let page = render(&format!("/?photo={ID}"), Kitchen(Ok(Some(photo())), visitor()), None).await;
    assert!(!page.html.contains(" style="), "{}", page.html);
    assert!(!page.html.contains("<style"), "{}", page.html);
    assert!(!page.html.contains(" onclick="), "{}", page.html);
    for script in page.html.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap_or_default();
        assert!(
            tag.contains("nonce=\"") || tag.contains("src=\"/pkg/"),
            "<script{tag}> has no nonce and is no file of ours"
        );
    }
}

#[tokio::test]
async fn what_others_wrote_is_text_and_never_markup() {
    let hostile = "<img src=x onerror=alert(1)>\"'&</script><script>";
    let mut photo = photo();
    photo.model_version = hostile.to_owned();
    photo.predicted_class = hostile.to_owned();
    photo.corrected_class = Some(hostile.to_owned());
    photo.probabilities[1].label = hostile.to_owned();
    photo.flag = Some(FlagReason::Other);
    let page = render(&format!("/?photo={ID}"), Kitchen(Ok(Some(photo)), visitor()), None).await;
    assert!(page.html.contains("&lt;img src=x"), "it is shown, escaped");
    assert!(!page.html.contains("<img src=x"), "{}", page.html);
    assert!(!page.html.contains("</script><script>"), "{}", page.html);
}

#[tokio::test]
async fn a_photo_that_is_not_this_visitors_is_not_found() {
    for path in [format!("/?photo={ID}"), "/?photo=nonsense".to_owned()] {
        let page = render(&path, Kitchen(Ok(None), visitor()), None).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.html.contains("That photo is not here."), "{}", page.html);
        assert!(page.html.contains("action=\"/photos\""), "another one can be sent");
    }
}

#[tokio::test]
async fn an_unknown_address_is_not_found() {
    let page = render("/nowhere", Kitchen(Ok(None), visitor()), None).await;
    assert_eq!(page.status, 404);
    assert!(page.html.contains("This plate is empty."), "{}", page.html);
}

#[tokio::test]
async fn a_refused_form_is_explained_on_a_page_that_needs_no_script() {
    let problem = Problem::new(ProblemKind::NotAPicture, "The file ends too early.");
    let page = render("/", Kitchen(Ok(Some(photo())), visitor()), Some(problem)).await;
    assert_eq!(page.status, 422);
    assert!(page.html.contains("role=\"alert\""), "{}", page.html);
    assert!(page.html.contains("The file ends too early."), "{}", page.html);
    assert!(!page.html.contains("_bg.wasm"), "its address is the form's: it must not come alive");
    assert!(page.html.contains("action=\"/photos\""));
}

#[tokio::test]
async fn a_backend_that_is_down_is_said_so_with_its_status() {
    let problem = Problem::new(ProblemKind::Unavailable, "The catalog does not answer.");
    let page = render("/", Kitchen(Err(problem), visitor()), None).await;
    assert_eq!(page.status, 503);
    assert!(page.html.contains("The catalog does not answer."), "{}", page.html);
}

#[tokio::test]
async fn campaigns_are_a_list_a_form_and_a_look_ahead_without_scripts() {
    let kitchen = || Kitchen(Ok(Some(photo())), signed_in(Role::Operator));
    let page = render("/campaigns", kitchen(), None).await;
    assert!(page.html.contains("Week &lt;48&gt;") && page.html.contains("3 of 12 labelled"), "{}", page.html);
    assert!(!page.html.contains("_bg.wasm"), "nothing moves, so it needs no script");
    assert!(!page.html.contains("It would choose"));
    let page = render("/campaigns?preset=continuous&hours=24", kitchen(), None).await;
    for word in ["It would choose 1 photo", "± 3.4 points", "low confidence", "5%", ID] {
        assert!(page.html.contains(word), "{word}: {}", page.html);
    }
    let page = render("/campaigns?kind=random&rate=lots&hours=24", kitchen(), None).await;
    assert!(page.html.contains("is no number of percent"), "{}", page.html);
    let page = render("/campaigns", Kitchen(Ok(None), signed_in(Role::Operator)), None).await;
    assert!(page.html.contains("There is no campaign yet"));
    let broken = Problem::new(ProblemKind::Unavailable, "the catalog cannot be reached just now; try again");
    let page = render("/campaigns", Kitchen(Err(broken), signed_in(Role::Operator)), None).await;
    assert_eq!(page.status, 503);
    assert!(page.html.contains("cannot be reached just now"));
}

#[tokio::test]
async fn a_campaign_says_when_it_selects_and_its_form_asks_for_that_reasons_and_a_window() {
    let page = async |address: &str, posted: Option<Problem>| {
        render(address, Kitchen(Ok(Some(photo())), signed_in(Role::Operator)), posted).await.html
    };
    let plain = page("/campaigns", None).await;
    for words in ["Selects by itself every hour, in UTC (0 * * * *).", "Photos received before 24 Nov 2026, 10:28 UTC."]
    {
        assert!(plain.contains(words), "{words} is missing in {plain}");
    }
    for field in ["name=\"schedule\"", "name=\"starts_at\"", "name=\"ends_at\"", "<option value=\"0 3 * * 1\""] {
        assert!(plain.contains(field), "{field} is missing in {plain}");
    }
    assert!(!plain.contains("name=\"reason\"") && !plain.contains("field__error"), "{plain}");
    assert!(!tag(&plain, "campaigns__more").contains(" open"), "it is shut where nothing is said: {plain}");

    // What was said stays, and what was wrong stands at its field: of a look ahead, and of a form that was sent.
    let said = "/campaigns?kind=flagged&reason=not_food&reason=other&schedule=61+*+*+*+*&starts_at=soon&hours=24";
    let ahead = page(said, None).await;
    for reason in ["not_food", "other"] {
        assert!(tag(&ahead, &format!("value=\"{reason}\"")).contains(" checked"), "{reason} in {ahead}");
    }
    assert!(!tag(&ahead, "value=\"bad_photo\"").contains(" checked"), "{ahead}");
    assert!(tag(&ahead, "campaigns__more").contains(" open"), "{ahead}");
    assert!(tag(&ahead, "name=\"schedule\"").contains("value=\"61 * * * *\""), "{ahead}");
    assert!(tag(&ahead, "name=\"starts_at\"").contains("aria-invalid=\"true\""), "{ahead}");
    assert!(!tag(&ahead, "id=\"starts_at-error\"").is_empty() && ahead.contains("is no time"), "{ahead}");
    let problem = Problem::new(ProblemKind::BadRequest, "that never comes").of_field("schedule");
    let sent = page(&said.replace("&hours=24", ""), Some(problem)).await;
    let field = tag(&sent, "name=\"schedule\"");
    assert!(field.contains("aria-invalid=\"true\"") && field.contains("schedule-error"), "{field}");
    assert!(!tag(&sent, "name=\"starts_at\"").contains("aria-invalid"), "{sent}");
    let said = sent.split_once("id=\"schedule-error\"").and_then(|(_, rest)| rest.split_once('>'));
    assert!(said.is_some_and(|(_, rest)| rest.starts_with("that never comes")), "{sent}");
}

/// The tag of a page that has these words.
fn tag<'a>(page: &'a str, words: &str) -> &'a str {
    page.split('<')
        .map(|tag| tag.split('>').next().unwrap_or_default())
        .find(|tag| tag.contains(words))
        .unwrap_or_default()
}

/// `/dashboard` has tests of its own.
const LATER_PAGES: [&str; 3] = ["/review", "/pipelines", "/models"];

#[tokio::test]
async fn the_navigation_shows_what_the_viewer_may_open() {
    let page = async |viewer| render("/", Kitchen(Ok(None), viewer), None).await.html;
    let visitors = page(visitor()).await;
    assert!(!visitors.contains("<nav"), "a visitor has one page");
    assert!(visitors.contains("href=\"/login?next=%2F\""), "{visitors}");

    let annotators = page(signed_in(Role::Annotator)).await;
    assert!(annotators.contains("href=\"/review\"") && !annotators.contains("href=\"/models\""), "{annotators}");

    let operators = page(signed_in(Role::Operator)).await;
    for href in ["/", "/dashboard", "/photos", "/campaigns", "/review", "/pipelines", "/models"] {
        assert!(operators.contains(&format!("href=\"{href}\"")), "{href} is missing in {operators}");
    }
    assert!(operators.contains("action=\"/logout\"") && operators.contains("ann"), "{operators}");
    assert!(!operators.contains("Sign in"), "{operators}");
}

#[tokio::test]
async fn the_navigation_says_where_one_is() {
    for path in LATER_PAGES {
        let page = render(path, Kitchen(Ok(None), signed_in(Role::Operator)), None).await;
        assert_eq!(page.status, 200, "{path}");
        let link = page.html.split("<a ").find(|link| link.contains("aria-current=\"page\""));
        assert!(link.is_some_and(|link| link.contains(path)), "{path} in {}", page.html);
        let comes_alive = page.html.contains("_bg.wasm");
        assert_eq!(comes_alive, path == "/review", "where nothing moves, as on {path}, no script is needed");
    }
}

#[tokio::test]
async fn labelling_works_without_a_script_and_says_what_there_is() {
    let page = async |address: &str, photo| render(address, Kitchen(Ok(photo), signed_in(Role::Annotator)), None).await;
    let campaign = |number| format!("/review?campaign={}", Uuid::from_u128(number));
    assert!(page("/review", None).await.html.contains("Nothing to review."));
    let choice = page("/review", Some(photo())).await.html;
    for part in ["What would you like to label?", &campaign(1), &campaign(2), "2 of 3 photos to label", "All labelled"]
    {
        assert!(choice.contains(part), "{part} is missing in {choice}");
    }
    let (task, last) = (Uuid::from_u128(4), Uuid::from_u128(5));
    let desk = page(&format!("{}&said={last}", campaign(1)), Some(photo())).await.html;
    for part in [
        "1 of 3",
        &format!("/api/v1/review/tasks/{task}/image?size=1024"),
        "action=\"/review/answer\"",
        &format!("value=\"{task}\""),
        "value=\"class:Soup\"",
        "value=\"not_food\"",
        "formaction=\"/review/skip\"",
        "action=\"/review/undo\"",
        &format!("value=\"{last}\""),
    ] {
        assert!(desk.contains(part), "{part} is missing in {desk}");
    }
    assert!(!desk.contains(" style="), "{desk}");
    assert!(page(&campaign(3), Some(photo())).await.html.contains("All done."));
    let unknown = page("/review?campaign=nonsense", Some(photo())).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.html.contains("That campaign is not here."), "{}", unknown.html);
}

#[tokio::test]
async fn empty_pages_say_what_is_true_here() {
    let page = async |path, photo| render(path, Kitchen(Ok(photo), signed_in(Role::Operator)), None).await.html;
    let models = page("/models", None).await;
    assert!(models.contains("food64-1") && models.contains("Soup, Bread") && models.contains("20 MB"), "{models}");
}

#[tokio::test]
async fn what_became_of_several_photos_is_said_above_them() {
    let page = render("/?sent=3&refused=too-large,too-large", Kitchen(Ok(Some(photo())), visitor()), None).await;
    assert_eq!(page.status, 200);
    assert!(page.html.contains("3 photos are answered, 2 were not taken."), "{}", page.html);
    assert!(page.html.contains("2 too large"), "{}", page.html);
}

#[tokio::test]
async fn what_is_kept_is_said_before_the_first_photo_and_several_can_be_chosen() {
    let page = render("/", Kitchen(Ok(None), visitor()), None).await;
    assert!(page.html.contains("What we keep, and why"), "{}", page.html);
    assert!(page.html.contains("multiple"), "{}", page.html);
    assert!(page.html.contains("capture=\"environment\""), "{}", page.html);
}

#[tokio::test]
async fn the_list_of_photos_works_without_a_script() {
    let page = render(
        "/photos?class=Soup&sort=confidence&view=table",
        Kitchen(Ok(Some(photo())), signed_in(Role::Operator)),
        None,
    )
    .await;
    assert_eq!(page.status, 200);
    for part in [
        "1 photo",
        "action=\"/photos\"",
        "aria-sort=\"ascending\"",
        &format!("/photos/{ID}?class=Soup&amp;sort=confidence&amp;view=table"),
        "after=further",
        "action=\"/photos/flags?class=Soup&amp;sort=confidence&amp;view=table\"",
        &format!("value=\"{ID}\""),
        "thumbnail?size=96",
        "Clear 1 filter",
    ] {
        assert!(page.html.contains(part), "{part} is missing in {}", page.html);
    }
    assert!(!page.html.contains(" style="), "{}", page.html);
}

#[tokio::test]
async fn an_address_that_cannot_be_meant_is_a_bad_request_and_keeps_the_form_as_it_was() {
    let page = render("/photos?min=90&max=10", Kitchen(Ok(Some(photo())), signed_in(Role::Operator)), None).await;
    assert_eq!(page.status, 400);
    assert!(page.html.contains("Confidence_min is above confidence_max"), "{}", page.html);
    assert!(page.html.contains("value=\"90\"") && page.html.contains("value=\"10\""), "{}", page.html);
}

#[tokio::test]
async fn an_empty_list_says_why_it_is_empty() {
    let page = render("/photos", Kitchen(Ok(None), signed_in(Role::Operator)), None).await;
    assert!(page.html.contains("No photos yet."), "{}", page.html);
    let page = render("/photos?class=Soup", Kitchen(Ok(None), signed_in(Role::Operator)), None).await;
    assert!(page.html.contains("No photo is like that.") && page.html.contains("href=\"/photos\""), "{}", page.html);
}

#[tokio::test]
async fn flags_set_by_a_form_are_confirmed_with_a_form_that_undoes_them() {
    let id = photo().id;
    let outcomes = vec![FlagOutcome { id, result: FlagResult::Changed, before: Some(FlagReason::NotFood) }];
    let page = render_after(
        "/photos",
        Kitchen(Ok(Some(photo())), signed_in(Role::Operator)),
        None,
        Some(FlagsAnswer { outcomes }),
    )
    .await;
    assert_eq!(page.status, 200);
    assert!(page.html.contains("1 photo flagged for review."), "{}", page.html);
    assert!(page.html.contains(&format!("value=\"{ID}:not_food\"")), "{}", page.html);
    assert!(page.html.contains("form=\"undo-flags\"") && page.html.contains("id=\"undo-flags\""));
    assert!(!page.html.contains("_bg.wasm"), "its address is the form's: it must not come alive");
}

#[tokio::test]
async fn one_photo_shows_what_the_object_store_says_even_if_it_says_nothing() {
    let page =
        render(&format!("/photos/{ID}?flag=yes"), Kitchen(Ok(Some(photo())), signed_in(Role::Operator)), None).await;
    assert_eq!(page.status, 200);
    for part in [
        "The object store does not answer",
        "Not there.",
        &format!("/api/v1/predictions/{ID}/image?download=true"),
        &format!("action=\"/photos/{ID}/flag?next=%2Fphotos%2F{ID}%3Fflag%3Dyes\""),
        "rel=\"next\"",
    ] {
        assert!(page.html.contains(part), "{part} is missing in {}", page.html);
    }
    for path in ["/photos/nonsense", "/photos/01890a5d-ac96-774b-bcce-b302099a8058"] {
        let page = render(path, Kitchen(Ok(Some(photo())), signed_in(Role::Operator)), None).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.html.contains("That photo is not here."), "{}", page.html);
    }
}

#[tokio::test]
async fn what_others_wrote_is_text_on_the_photo_pages_too() {
    let hostile = "<img src=x onerror=alert(1)>\"'&</script><script>";
    let mut photo = photo();
    photo.model_version = hostile.to_owned();
    photo.predicted_class = hostile.to_owned();
    photo.corrected_class = Some(hostile.to_owned());
    for path in ["/photos".to_owned(), "/photos?view=table".to_owned(), format!("/photos/{ID}")] {
        let page = render(&path, Kitchen(Ok(Some(photo.clone())), signed_in(Role::Operator)), None).await;
        assert!(page.html.contains("&lt;img src=x"), "{path}: it is shown, escaped");
        assert!(!page.html.contains("<img src=x"), "{}", page.html);
        assert!(!page.html.contains("</script><script>"), "{}", page.html);
    }
}
