//! The pages that come alive, as the browser gets them: one bundle each, with nothing of the others.
//!
//! [`bundle`](crate::pages::bundle) says which page is in which; `frontend/src/bin/` has an entry point for each.

use leptos::prelude::*;
use leptos_router::{
    ParamSegment, StaticSegment,
    components::{FlatRoutes, Route},
    hooks::use_location,
};

use crate::{
    app::Frame,
    pages::{HomePage, PhotoPage, PhotosPage, ReviewPage},
};

/// Takes over the page that the server rendered, which is all of it what `app` makes.
///
/// Like `leptos::mount::hydrate_body`, but what came with the document can be read until the last part of the page has come
/// alive: `Frame` ends hydration then, where leptos would after the first task.
#[cfg(feature = "hydrate")]
pub fn hydrate<Page: IntoView>(app: impl FnOnce() -> Page) {
    use std::sync::Arc;

    use any_spawner::Executor;
    use hydration_context::HydrateSharedContext;
    use leptos::tachys::{
        dom::body,
        hydration::Cursor,
        view::{PositionState, RenderHtml},
    };
    use wasm_bindgen::JsCast;

    // An error says that there is an executor already.
    let _ = Executor::init_wasm_bindgen();
    let owner = Owner::new_root(Some(Arc::new(HydrateSharedContext::new())));
    let page = owner
        .with(|| app().into_view().hydrate::<true>(&Cursor::new(body().unchecked_into()), &PositionState::default()));
    // The page is there as long as its document.
    std::mem::forget((owner, page));
}

/// The bundle `home`: `/`.
#[component]
pub fn Home() -> impl IntoView {
    view! {
        <Frame>
            <FlatRoutes fallback=ByDocument>
                <Route path=StaticSegment("") view=HomePage/>
            </FlatRoutes>
        </Frame>
    }
}

/// The bundle `photos`: `/photos` and one photo of it.
#[component]
pub fn Photos() -> impl IntoView {
    view! {
        <Frame>
            <FlatRoutes fallback=ByDocument>
                <Route path=StaticSegment("photos") view=PhotosPage/>
                <Route path=(StaticSegment("photos"), ParamSegment("id")) view=PhotoPage/>
            </FlatRoutes>
        </Frame>
    }
}

/// The bundle `review`: `/review`.
#[component]
pub fn Review() -> impl IntoView {
    view! {
        <Frame>
            <FlatRoutes fallback=ByDocument>
                <Route path=StaticSegment("review") view=ReviewPage/>
            </FlatRoutes>
        </Frame>
    }
}

/// In a living page that came to an address it does not hold: goes on to the document there.
#[component]
fn ByDocument() -> impl IntoView {
    let location = use_location();
    Effect::new(move |_| {
        let (path, query) = (location.pathname.get(), location.search.get());
        let query = if query.is_empty() { query } else { format!("?{}", query.trim_start_matches('?')) };
        // An address that cannot be gone to leaves the words below.
        let _ = window().location().set_href(&format!("{path}{query}"));
    });
    view! { <p class="loading" role="status">"One moment…"</p> }
}
