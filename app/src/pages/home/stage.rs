//! The stage: the empty plate, a photo on its way, or a photo with its label on it.

use gourmetgram_api::DeviceAnswer;
use leptos::{either::Either, html, prelude::*};
use leptos_meta::Title;

use super::welcome::CHOOSE_HINT;
use crate::{album::Photo, components::PhotoPicker, upload::Upload, visit::Visit};

/// An empty plate: drop a photo on it.
#[component]
pub(super) fn PlateOnStage() -> impl IntoView {
    view! {
        <section class="stage" aria-label="Drop photos here">
            <div class="plate">
                <div class="plate__well">
                    <svg class="plate__cutlery" viewBox="0 0 120 120" aria-hidden="true" focusable="false">
                        <path d="M44 26v22a8 8 0 0 0 16 0V26M52 26v68M76 94V26c8 4 11 14 11 24s-4 14-11 15"/>
                    </svg>
                    <p class="plate__hint">{CHOOSE_HINT}</p>
                </div>
            </div>
        </section>
    }
}

/// The photo on its way, as the visitor's own device shows it.
#[component]
pub(super) fn UploadOnStage(upload: Upload) -> impl IntoView {
    // Not every browser shows every picture, and not every file is one.
    let unseen = RwSignal::new(false);
    let device = upload.device;
    view! {
        <section class="stage">
            <figure class="photo photo--waiting" class:photo--unseen=unseen>
                <img
                    class="photo__image"
                    src=upload.preview
                    alt="The photo you are sending"
                    on:error=move |_| unseen.set(true)
                />
                // The place of the label to come. Until it does, what the visitor's own device says stands there.
                <figcaption class="photo__caption" aria-hidden="true">
                    {move || match device.get() {
                        None => Either::Left(view! { <span class="plaque plaque--blank">" "</span> }),
                        Some(DeviceAnswer { predicted_class, .. }) => Either::Right(view! {
                            <span class="plaque plaque--preliminary">{predicted_class}</span>
                        }),
                    }}
                </figcaption>
            </figure>
            <PhotoPicker another=true/>
        </section>
    }
}

/// A photo, and on it what it is said to be.
#[component]
pub(super) fn PhotoOnStage(photo: Photo) -> impl IntoView {
    let visit = expect_context::<Visit>();
    let heading = NodeRef::<html::H1>::new();
    visit.focus_when_new(heading);

    let source = photo.source();
    let prediction = photo.prediction;
    let known = prediction.get_untracked();
    view! {
        <Title text=known.predicted_class.clone()/>
        <section class="stage">
            <figure class="photo">
                <img
                    class="photo__image"
                    src=source
                    alt="The photo you sent"
                    width=known.width
                    height=known.height
                    decoding="async"
                />
                <figcaption class="photo__caption">
                    <h1 class="plaque" tabindex="-1" node_ref=heading>{known.predicted_class}</h1>
                    {move || {
                        prediction.with(|prediction| prediction.corrected_class.clone()).map(|label| view! {
                            <p class="sticker">"You say: "<strong>{label}</strong></p>
                        })
                    }}
                </figcaption>
            </figure>
            <PhotoPicker another=true/>
        </section>
    }
}
