//! The page `/models`: the model that answers, and one day its rivals.

use gourmetgram_api::LiveModel;
use leptos::{either::Either, prelude::*};

use super::loading;
use crate::{
    components::{EmptyState, Icon, Reason, TroubleNotice},
    wording::file_size,
};

/// Shows the model that answers, and says what will be beside it.
#[component]
pub fn ModelsPage() -> impl IntoView {
    view! {
            <EmptyState
                title="Models"
                icon=Icon::Layers
                heading="One model, no rival."
                lead="Here versions of the model stand beside each other: how accurate each is, which share of the photos it answers, and which one takes over."
            >
                <Live/>
                <div class="empty__reasons">
                    <Reason heading="Why there is only one">
                        "This version answers every photo with the model it was started with, and does not train new ones yet. \
                         Its accuracy on your photos is unknown until people have labelled some."
                    </Reason>
                    <Reason heading="What to do meanwhile">
                        "To serve a model of your own, import it with " <code>"gourmetgram model import"</code>
                        " and name its folder in the setting " <code>"model.directory"</code> "."
                    </Reason>
                </div>
            </EmptyState>
    }
}

/// The model that answers now.
#[component]
fn Live() -> impl IntoView {
    let model = Resource::new_blocking(|| (), |()| loading::live_model());
    view! {
        <Suspense fallback=|| view! { <p class="loading" role="status">"Asking the model its name…"</p> }>
            {move || Suspend::new(async move {
                match model.await {
                    Ok(model) => Either::Left(facts(&model)),
                    Err(trouble) => Either::Right(view! { <TroubleNotice trouble/> }),
                }
            })}
        </Suspense>
    }
}

fn facts(LiveModel { version, classes, limits }: &LiveModel) -> impl IntoView + use<> {
    let labels: Vec<&str> = classes.iter().map(|(_, label)| label).collect();
    view! {
        <section class="card" aria-labelledby="live-model">
            <h2 class="card__title" id="live-model">{version.clone()}</h2>
            <dl class="pairs">
                <div><dt>"Answers"</dt><dd>"every photo"</dd></div>
                <div><dt>{format!("{} classes", classes.len())}</dt><dd>{labels.join(", ")}</dd></div>
                <div>
                    <dt>"Photos up to"</dt>
                    <dd>{format!("{}, {} megapixels", file_size(limits.max_bytes), limits.max_pixels / 1_000_000)}</dd>
                </div>
            </dl>
        </section>
    }
}
