//! The document, what is on every page, and the routes.

use gourmetgram_api::Viewer;
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::Router;
#[cfg(feature = "ssr")]
use leptos_router::{
    ParamSegment, SsrMode, StaticSegment,
    components::{FlatRoutes, Route},
};

use crate::components::{Masthead, Sleeping, later};
#[cfg(feature = "ssr")]
use crate::pages::{
    AccountPage, CampaignsPage, DashboardPage, HomePage, LinkPage, ModelsPage, NotAllowedPage, NotFoundPage,
    NotNowPage, PhotoPage, PhotosPage, PipelinesPage, ReviewPage, RunPage, SignInPage, StatisticsPage, SuspectsPage,
};

/// The whole HTML document around [`App`]. `options` name the folder and the files of scripts and styles.
///
/// A page that answers a refused form ([`PostedProblem`](crate::backend::PostedProblem)) gets no scripts: see there.
/// Neither do pages on which nothing moves; each of the others gets the bundle that holds it.
#[cfg(feature = "ssr")]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    use leptos_meta::MetaTags;

    let asset = |file: &str| format!("/{}/{file}", options.site_pkg_dir);
    let stylesheet = asset(&format!("{}.css", options.output_name));
    let font = asset("bricolage-grotesque.woff2");
    // On the server this is a whole URL, of a host that does not exist.
    let url: Option<leptos_router::location::Url> =
        use_context::<leptos_router::location::RequestUrl>().and_then(|url| url.parse().ok());
    let path = url.as_ref().map(|url| url.path()).unwrap_or_default();
    // Who sends photos is spared what only the other pages need.
    let other_pages = (!matches!(path, "/" | "/login")).then(|| asset("pages.css"));
    let device = use_context::<crate::backend::DeviceScript>().filter(|_| path == "/");
    let offline = (path == "/").then(|| asset("offline.js"));
    let bundle = crate::pages::bundle(path).filter(|_| url.is_some());
    let answers_a_form = use_context::<crate::backend::PostedProblem>().is_some()
        || use_context::<crate::backend::PostedFlags>().is_some();
    let scripts = bundle.filter(|_| !answers_a_form).map(|bundle| {
        view! {
            <script r#type="module" nonce=leptos::nonce::use_nonce()>
                {hydration(&asset(&format!("{bundle}.js")), &asset(&format!("{bundle}_bg.wasm")))}
            </script>
            {device.map(|script| view! { <script r#type="module" src=script.0></script> })}
            {offline.map(|script| view! { <script r#type="module" src=script></script> })}
        }
    });
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f3f6fb"/>
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#0b1020"/>
                <meta name="description" content="Show GourmetGram a dish: it says what it is, and how sure it is."/>
                <link rel="stylesheet" href=stylesheet/>
                {other_pages.map(|sheet| view! { <link rel="stylesheet" href=sheet/> })}
                <link rel="preload" href=font r#as="font" r#type="font/woff2" crossorigin="anonymous"/>
                <link rel="icon" href="/favicon.svg" r#type="image/svg+xml"/>
                <link rel="apple-touch-icon" href="/icons/apple-touch-180.png"/>
                <link rel="manifest" href="/gourmetgram.webmanifest"/>
                <MetaTags/>
                {scripts}
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The script that makes a page come alive: it fetches the bundle and has it take over what the server rendered.
///
/// It stands in for `HydrationScripts`, whose preloaded WebAssembly takes a slow line from the style sheet and the
/// pictures: here it comes once what is seen first is there (loaded, and painted: on a busy machine that is some frames
/// later), but after two seconds at the latest. All that a page is for works before it is alive, too. Module and page
/// begin in tasks of their own, so that a finger is heard in between.
#[cfg(feature = "ssr")]
fn hydration(script: &str, module: &str) -> String {
    format!(
        "const frame = () => new Promise(requestAnimationFrame); \
         const loaded = new Promise((go) => document.readyState === 'complete' ? go() : addEventListener('load', go)); \
         const painted = new Promise((go) => new PerformanceObserver((paints) => \
           paints.getEntriesByName('first-contentful-paint').length && go()).observe({{ type: 'paint', buffered: true }})); \
         const seen = loaded.then(() => painted).then(frame).then(frame); \
         await Promise.race([seen, new Promise((go) => setTimeout(go, 2000))]); \
         const code = fetch('{module}'); \
         const bundle = await import('{script}'); \
         await bundle.default({{ module_or_path: code }}); \
         await new Promise((go) => setTimeout(go)); \
         bundle.hydrate();"
    )
}

/// What is on every page, and the routes. Every component finds the [`Viewer`] by context.
#[cfg(feature = "ssr")]
#[component]
pub fn App() -> impl IntoView {
    view! {
        <Frame>
            <FlatRoutes fallback=NotFoundPage>
                <Route path=StaticSegment("") view=HomePage ssr=SsrMode::Async/>
                <Route path=StaticSegment("dashboard") view=DashboardPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("dashboard"), StaticSegment("statistics")) view=StatisticsPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("dashboard"), StaticSegment("suspects")) view=SuspectsPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("photos") view=PhotosPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("photos"), ParamSegment("id")) view=PhotoPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("campaigns") view=CampaignsPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("review") view=ReviewPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("pipelines") view=PipelinesPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("pipelines"), ParamSegment("run")) view=RunPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("models") view=ModelsPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("not-now") view=NotNowPage ssr=SsrMode::Async/>
                <Route path=StaticSegment("login") view=SignInPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("login"), StaticSegment("link")) view=LinkPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("login"), StaticSegment("account")) view=AccountPage ssr=SsrMode::Async/>
                <Route path=(StaticSegment("login"), StaticSegment("not-allowed")) view=NotAllowedPage ssr=SsrMode::Async/>
            </FlatRoutes>
        </Frame>
    }
}

/// What is around every page's content. The server and each of the browser's bundles must agree on it to the letter.
#[component]
pub(crate) fn Frame<Page: IntoView + 'static>(children: TypedChildren<Page>) -> impl IntoView {
    let page = children.into_inner();
    provide_meta_context();
    provide_context(SharedValue::new(viewer).into_inner());
    let sleeping = Sleeping::none();
    provide_context(sleeping);
    sleeping.until_alive();
    view! {
        <Title formatter=document_title/>
        <a class="skip" href="#content">"Skip to the content"</a>
        <Router>
            <Masthead/>
            <main class="content" id="content">{later(page)}</main>
            <footer class="colophon">
                <p>"GourmetGram names dishes from photos. It is a guess with a number, not a judgement of the cook."</p>
                <p><a href="/api/openapi.json" rel="external">"For developers"</a></p>
            </footer>
        </Router>
    }
}

/// Who looks at the page: the server knows, and tells the browser within the document.
fn viewer() -> Viewer {
    #[cfg(feature = "ssr")]
    let viewer = use_context::<std::sync::Arc<dyn crate::backend::Backend>>()
        .map(|backend| backend.viewer())
        .unwrap_or_default();
    #[cfg(not(feature = "ssr"))]
    let viewer = Viewer::default();
    viewer
}

/// What the browser's tab says, made of what a page calls itself.
fn document_title(page: String) -> String {
    // leptos_meta writes a title into the server's document as it is, so it has to be text of HTML here; in the browser
    // it is given to `document.title`, which takes plain text.
    #[cfg(feature = "ssr")]
    let page = page.replace('&', "&amp;").replace('<', "&lt;");
    if page.is_empty() { "GourmetGram".to_owned() } else { format!("{page} · GourmetGram") }
}
