//! Pages that are documents and nothing more, as the browser's router knows them.

use leptos::prelude::*;

pub use {Document as DashboardPage, Document as ModelsPage, Document as PipelinesPage, Document as ReviewPage};

/// Links to these pages load them. Should the router come to one all the same, it fetches the document.
#[component]
pub fn Document() -> impl IntoView {
    Effect::new(|_| {
        let _ = window().location().reload();
    });
}
