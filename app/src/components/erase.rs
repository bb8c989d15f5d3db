//! Erasing a photo, with one question before.

use gourmetgram_api::{Role, Viewer};
use leptos::{prelude::*, task::spawn_local};

use super::{Icon, TroubleNotice};
use crate::{album::Photo, client, forms, offline, trouble::Trouble, visit::Visit};

/// Opens to ask, then erases. A `details` element, so that the question is asked with scripts off too.
#[component]
pub fn Erase(
    /// The photo to erase.
    photo: Photo,
    /// Whether the page is that photo's own, to be left once it is gone.
    #[prop(optional)]
    is_shown: bool,
) -> impl IntoView {
    let visit = expect_context::<Visit>();
    let busy = RwSignal::new(false);
    let trouble = RwSignal::new(None::<Trouble>);
    let id = photo.id;
    let may_wait = expect_context::<Viewer>().role == Role::Visitor;

    let erase = Callback::new(move |()| {
        let photo = photo.clone();
        spawn_local(async move {
            busy.set(true);
            trouble.set(None);
            // After what was said about it, where that waits.
            let outcome = match may_wait && offline::waits(id).await {
                true => Err(Trouble::Unreachable),
                false => client::erase(id).await,
            };
            match outcome {
                Ok(()) => visit.forget(&photo, is_shown, "Your photo is erased."),
                Err(trouble) if may_wait && trouble.is_passing() && offline::erase(id).await => {
                    visit.forget(
                        &photo,
                        is_shown,
                        "Noted on this device. The photo is erased once there is reception.",
                    );
                }
                Err(refused) => {
                    // The row may be gone by now; then nobody is left to tell.
                    trouble.try_set(Some(refused));
                    busy.try_set(false);
                }
            }
        });
    });

    view! {
        <details class="erase">
            <summary class="erase__ask">
                {Icon::Bin.view()}
                <span class="erase__when-closed">"Erase"<span class="visually-hidden">" this photo"</span></span>
                <span class="erase__when-open">"Keep it"</span>
            </summary>
            <form class="erase__confirm" method="post" action=forms::erase(id)>
                <p>"Erase this photo, its answer and all you said about it? It is removed everywhere, for good."</p>
                <button
                    class="button button--danger"
                    type="submit"
                    disabled=busy
                    on:click=move |event| {
                        event.prevent_default();
                        erase.run(());
                    }
                >
                    "Erase for good"
                </button>
                {move || trouble.get().map(|trouble| view! { <TroubleNotice trouble retry=erase/> })}
            </form>
        </details>
    }
}
