//! What the server sends before any script has run, rendered with a backend that is none.

#![cfg(feature = "ssr")]

use std::sync::{
    Arc,
    atomic::{AtomicU16, Ordering},
};

use async_trait::async_trait;
use futures::StreamExt;
use gourmetgram_api::{
    ClassIndex, ClassProbability, Classes, Confidence, FlagReason, LiveModel, Prediction, PredictionId, PredictionPage,
    Problem, ProblemKind, Role, StorageState, UploadLimits, Viewer,
};
use gourmetgram_app::{
    backend::{Backend, PageStatus, PostedProblem},
    home::Home,
    shell,
};
use hydration_context::SsrSharedContext;
use leptos::{nonce::provide_nonce, prelude::*};
use leptos_meta::ServerMetaContext;
use leptos_router::location::RequestUrl;

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

    async fn newest_photo(&self) -> Result<Option<Prediction>, Problem> {
        self.0.clone()
    }

    async fn home(&self, shown: Option<PredictionId>) -> Result<Home, Problem> {
        let photo = self.0.clone()?;
        Ok(Home {
            model: model(),
            shown: photo.clone().filter(|photo| Some(photo.id) == shown),
            mine: PredictionPage { items: photo.into_iter().collect(), next_cursor: None },
        })
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
        id: ID.parse().expect("an id"),
        key: format!("class_00/{ID}.jpg"),
        created_at: chrono::DateTime::from_timestamp(1_795_429_680, 0).expect("a moment"),
        predicted_class: "Soup".to_owned(),
        class_index: ClassIndex(0),
        confidence: Confidence::new(0.87).expect("a probability"),
        probabilities: vec![probability("Soup", 0.87), probability("Bread", 0.13)],
        model_version: "food64-1".to_owned(),
        device: None,
        content_type: "image/jpeg".to_owned(),
        bytes: 45_000,
        width: 960,
        height: 720,
        storage: StorageState::Stored,
        flag: None,
        corrected_class: None,
        history: Vec::new(),
    }
}

struct Page {
    status: u16,
    html: String,
}

/// Renders the document at `path`, as an answer to a refused form where `posted` says so.
async fn render(path: &str, kitchen: Kitchen, posted: Option<Problem>) -> Page {
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
        assert!(tag.contains("nonce=\""), "<script{tag}> has no nonce");
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
    assert!(!page.html.contains("gourmetgram.js"), "its address is the form's: it must not come alive");
    assert!(page.html.contains("action=\"/photos\""));
}

#[tokio::test]
async fn a_backend_that_is_down_is_said_so_with_its_status() {
    let problem = Problem::new(ProblemKind::Unavailable, "The catalog does not answer.");
    let page = render("/", Kitchen(Err(problem), visitor()), None).await;
    assert_eq!(page.status, 503);
    assert!(page.html.contains("The catalog does not answer."), "{}", page.html);
}

const LATER_PAGES: [&str; 4] = ["/dashboard", "/review", "/pipelines", "/models"];

#[tokio::test]
async fn the_navigation_shows_what_the_viewer_may_open() {
    let page = async |viewer| render("/", Kitchen(Ok(None), viewer), None).await.html;
    let visitors = page(visitor()).await;
    assert!(!visitors.contains("<nav"), "a visitor has one page");
    assert!(visitors.contains("href=\"/login?next=%2F\""), "{visitors}");

    let annotators = page(signed_in(Role::Annotator)).await;
    assert!(annotators.contains("href=\"/review\"") && !annotators.contains("href=\"/models\""), "{annotators}");

    let operators = page(signed_in(Role::Operator)).await;
    for href in ["/", "/dashboard", "/photos", "/review", "/pipelines", "/models"] {
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
    }
}

#[tokio::test]
async fn empty_pages_say_what_is_true_here() {
    let page = async |path, photo| render(path, Kitchen(Ok(photo), signed_in(Role::Operator)), None).await.html;
    assert!(page("/dashboard", None).await.contains("No photo has come in yet"));
    let dashboard = page("/dashboard", Some(photo())).await;
    assert!(dashboard.contains("Soup") && dashboard.contains("23 Nov 2026, 10:28 UTC"), "{dashboard}");
    let models = page("/models", None).await;
    assert!(models.contains("food64-1") && models.contains("Soup, Bread") && models.contains("20 MB"), "{models}");
    let down = Problem::new(ProblemKind::Unavailable, "The catalog does not answer.");
    let page = render("/dashboard", Kitchen(Err(down), signed_in(Role::Operator)), None).await;
    assert_eq!(page.status, 503);
    assert!(page.html.contains("The catalog does not answer."), "{}", page.html);
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
