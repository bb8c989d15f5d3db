//! The page `/dashboard`: where the model's measured accuracy will stand.

use gourmetgram_api::Prediction;
use leptos::{either::EitherOf3, prelude::*};

use super::loading;
use crate::{
    components::{EmptyState, Icon, Moment, Reason, TroubleNotice},
    wording::percent,
};

/// Says what will be measured, and why it is not yet.
#[component]
pub fn DashboardPage() -> impl IntoView {
    let newest = Resource::new_blocking(|| (), |()| loading::newest_photo());
    view! {
        <Suspense fallback=|| view! { <p class="loading" role="status">"Reading the scale…"</p> }>
            {move || Suspend::new(async move {
                let (why, photo) = match newest.await {
                    Ok(Some(photo)) => (EitherOf3::A(view! { <Incoming photo=photo.clone()/> }), true),
                    Ok(None) => (EitherOf3::B(view! {
                        <Reason heading="Why it is empty">"No photo has come in yet, so there is nothing to measure."</Reason>
                    }), false),
                    Err(trouble) => (EitherOf3::C(view! { <TroubleNotice trouble/> }), false),
                };
                view! {
                    <EmptyState
                        title="Dashboard"
                        icon=Icon::Gauge
                        heading="Nothing measured yet."
                        lead="Here you will read how often the model is right, with the margin of that figure, and for which classes it is wrong."
                    >
                        <div class="empty__reasons">{why}</div>
                        <p class="empty__actions">
                            {if photo {
                                view! { <a class="button" href="/photos" rel="external">"Look at the photos"</a> }.into_any()
                            } else {
                                view! { <a class="button button--primary" href="/">"Send the first photo"</a> }.into_any()
                            }}
                        </p>
                    </EmptyState>
                }
            })}
        </Suspense>
    }
}

/// Photos come in, and that is not enough.
#[component]
fn Incoming(photo: Prediction) -> impl IntoView {
    view! {
        <Reason heading="Why it is empty">
            "Photos do come in: the newest, on " <Moment at=photo.created_at/> ", was taken for "
            {photo.predicted_class} " (" {percent(photo.confidence.get())} "). But how often such answers are right can \
             only be said against labels given by people who did not see them, and this version does not collect those yet."
        </Reason>
        <Reason heading="What you have meanwhile">
            "What visitors flag and relabel is recorded. It shows where to look; it is no measurement, because people \
             rather speak up where something is wrong."
        </Reason>
    }
}
