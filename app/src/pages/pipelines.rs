//! The page `/pipelines`: where runs of the pipelines will be seen and started.

use leptos::prelude::*;

use crate::components::{EmptyState, Icon, Reason};

/// Says what will be here, and what pipelines of one's own can use today.
#[component]
pub fn PipelinesPage() -> impl IntoView {
    view! {
            <EmptyState
                title="Pipelines"
                icon=Icon::Flow
                heading="No pipeline has run."
                lead="Here you follow the way from photos to a better model: select what is worth labelling, collect the labels, retrain. Each run with its steps and its log."
            >
                <div class="empty__reasons">
                    <Reason heading="Why it is empty">
                        "This version serves photos and keeps what people say about them. It has no pipelines of its own yet."
                    </Reason>
                    <Reason heading="What to do meanwhile">
                        "Pipelines you already have can start now: every photo is an object in the production bucket, and \
                         its class, confidence, flag and correction are the object’s tags."
                    </Reason>
                </div>
                <p class="empty__actions">
                    <a class="button" href="/photos" rel="external">"Look at the photos"</a>
                    <a class="button button--quiet" href="/api/openapi.json" rel="external">"Read the API’s description"</a>
                </p>
            </EmptyState>
    }
}
