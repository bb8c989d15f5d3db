//! The panel before there is an answer: what this is, how to start, and what is kept.

use leptos::{html, prelude::*};

use crate::{
    components::{Notice, PhotoPicker, TroubleNotice},
    offline,
    trouble::Trouble,
    visit::Visit,
    wording::file_size,
};

/// On the empty plate.
pub(super) const CHOOSE_HINT: &str = "Drop photos here, or paste one";

/// The panel of the page as it opens.
#[component]
pub(super) fn Welcome(
    /// The visitor comes from erasing a photo with scripts off.
    was_erased: bool,
) -> impl IntoView {
    let visit = expect_context::<Visit>();
    let heading = NodeRef::<html::H1>::new();
    visit.focus_when_new(heading);
    view! {
        <section class="panel welcome">
            {was_erased.then(|| view! {
                <Notice title="Your photo is erased." text="The photo, its answer and what you said about it are gone."/>
            })}
            <PostedTrouble/>
            <h1 class="welcome__title" tabindex="-1" node_ref=heading>"What’s on your plate?"</h1>
            <p class="welcome__lead">
                "Show GourmetGram a dish. It says what it is and how sure it is, and learns from you where it is wrong."
            </p>
            <PhotoPicker/>
            <SmallerPhotos/>
            <WhatIsKept/>
        </section>
    }
}

/// The panel where the address names a photo that this visitor cannot see.
#[component]
pub(super) fn Missing() -> impl IntoView {
    let visit = expect_context::<Visit>();
    let heading = NodeRef::<html::H1>::new();
    visit.focus_when_new(heading);
    view! {
        <section class="panel welcome">
            <PostedTrouble/>
            <h1 class="welcome__title" tabindex="-1" node_ref=heading>"That photo is not here."</h1>
            <p class="welcome__lead">
                "It has been erased, or it was sent from another device: only whoever sent a photo can see it."
            </p>
            <PhotoPicker/>
        </section>
    }
}

/// Why the form just posted was refused. Only the server, answering a form, has something to say here.
#[component]
pub(super) fn PostedTrouble() -> impl IntoView {
    #[cfg(feature = "ssr")]
    let posted = use_context::<crate::backend::PostedProblem>().map(|posted| Trouble::from(posted.0));
    #[cfg(not(feature = "ssr"))]
    let posted = None::<Trouble>;
    posted.map(|trouble| view! { <TroubleNotice trouble/> })
}

/// Whether photos are made smaller before they are sent from this browser. Scripts do it, so without them it is not offered.
#[component]
fn SmallerPhotos() -> impl IntoView {
    let is_wanted = RwSignal::new(false);
    Effect::new(move |_| is_wanted.set(offline::sends_smaller()));
    view! {
        <div class="smaller">
            <label class="tick">
                <input
                    type="checkbox"
                    aria-describedby="smaller-hint"
                    prop:checked=is_wanted
                    on:change=move |event| offline::send_smaller(event_target_checked(&event))
                />
                "Send smaller photos"
            </label>
            <p class="smaller__hint" id="smaller-hint">
                "At most 1,600 pixels wide or high: quicker to send, and enough to tell a dish. On a slow connection, or where \
                 your browser saves data, it happens by itself."
            </p>
        </div>
    }
}

/// What becomes of a photo, said before the first one is sent.
#[component]
fn WhatIsKept() -> impl IntoView {
    let limits = expect_context::<Visit>().model.with_value(|model| model.limits);
    view! {
        <div class="kept">
            <h2 class="kept__title">"What we keep, and why"</h2>
            <p>
                "Your photo, our answer and what you say about it. They show how often we are right, and the next model \
                 learns from them. Nobody sees your photo but you and the people who run this service. You can erase it \
                 whenever you like."
            </p>
            <p class="kept__limits">
                "JPEG, PNG, WebP or GIF, up to " {file_size(limits.max_bytes)} " and "
                {format!("{} megapixels.", limits.max_pixels / 1_000_000)}
            </p>
        </div>
    }
}
