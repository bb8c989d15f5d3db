//! The page for addresses that lead nowhere.

use leptos::prelude::*;
use leptos_meta::Title;

/// Says so, and shows the way back. On the server it also sets the status.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(status) = use_context::<crate::backend::PageStatus>() {
        status.set(404);
    }
    view! {
        <Title text="Nothing here"/>
        <div class="lost">
            <div class="plate" aria-hidden="true">
                <div class="plate__well">
                    <p class="plaque lost__plaque">"404"</p>
                </div>
            </div>
            <div class="lost__words">
                <h1>"This plate is empty."</h1>
                <p>"There is no page at this address. It may have moved, or the link has a typo."</p>
                <a class="button button--primary" href="/">"To the kitchen"</a>
            </div>
        </div>
    }
}
