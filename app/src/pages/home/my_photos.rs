//! The visitor's photos, newest first.

use leptos::{either::Either, prelude::*, task::spawn_local};

use super::Asked;
use crate::{
    album::{Entry, Photo},
    client,
    components::{Erase, Icon, Notice, TroubleNotice, later},
    forms,
    posted::Posted,
    trouble::Trouble,
    upload::{Phase, Upload},
    visit::Visit,
    wording::{count, percent},
};

/// The list, or what will be there one day.
#[component]
pub(super) fn MyPhotos(asked: Memo<Asked>, posted: Option<Posted>) -> impl IntoView {
    let visit = expect_context::<Visit>();
    let album = visit.album;
    let number = move || match album.number() {
        0 => None,
        number if album.next().is_some() => Some(format!("{number} newest")),
        number => Some(count(number, "photo", "photos")),
    };
    let parts = move || {
        view! {
            <header class="album__head">
                <h2 class="album__title" id="album-title">"My photos"</h2>
                <p class="album__count">{number}</p>
            </header>
            {posted.map(|posted| view! { <Notice title=posted.title() text=posted.advice()/> })}
            <ul class="album__grid">
                <For each=move || album.listed() key=|entry| (entry.id(), entry.photo().is_some()) let:entry>
                    {match entry {
                        Entry::Here(photo) => Either::Left(view! { <Tile photo asked/> }),
                        Entry::Coming(upload) => Either::Right(view! { <TileToCome upload/> }),
                    }}
                </For>
            </ul>
            {move || album.is_empty().then(|| view! {
                <p class="album__empty">"Nothing here yet. What you send lines up here, for you alone."</p>
            })}
            <More/>
        }
    };
    view! { <section class="album" id="my-photos" aria-labelledby="album-title">{later(parts)}</section> }
}

/// One photo of the list.
#[component]
fn Tile(photo: Photo, asked: Memo<Asked>) -> impl IntoView {
    let visit = expect_context::<Visit>();
    let id = photo.id;
    let is_shown = Memo::new(move |_| asked.get() == Asked::Photo(id));
    let known = photo.prediction.get_untracked();
    let state = {
        let prediction = photo.prediction.clone();
        move || {
            let (flag, corrected) = prediction.with(|now| (now.flag, now.corrected_class.clone()));
            let nothing_said = flag.is_none() && corrected.is_none();
            view! {
                {corrected.map(|label| view! {
                    <span class="badge badge--corrected">{Icon::Pencil.view()}<span>"You: " {label}</span></span>
                })}
                {flag.map(|_| view! { <span class="badge badge--flagged">{Icon::Flag.view()}<span>"Flagged"</span></span> })}
                {nothing_said.then(|| view! { <span class="badge">{Icon::Check.view()}<span>"Saved"</span></span> })}
            }
        }
    };
    view! {
        <li class="tile" class:tile--open=is_shown>
            <a
                class="tile__link"
                href=forms::page_of(id)
                aria-current=move || is_shown.get().then_some("page")
                on:click=move |_| visit.line.on_stage.set(None)
            >
                <img
                    class="tile__image"
                    src=photo.small_source()
                    alt=""
                    width=known.width
                    height=known.height
                    loading="lazy"
                    decoding="async"
                />
                <span class="tile__label">{known.predicted_class}</span>
                <span class="tile__percent">{percent(known.confidence.get())}</span>
            </a>
            <p class="tile__state">{state}</p>
            {move || match is_shown.get() {
                // The panel above erases the photo that is open.
                true => Either::Left(()),
                false => Either::Right(view! { <Erase photo=photo.clone()/> }),
            }}
        </li>
    }
}

/// The place of a photo on its way, as large as its tile will be. Only for the eye: what becomes of it is said where it
/// is sent.
#[component]
fn TileToCome(upload: Upload) -> impl IntoView {
    // Not every browser shows every picture, and not every file is one.
    let unseen = RwSignal::new(false);
    let phase = upload.phase;
    let state =
        move || phase.with(|phase| if matches!(phase, Phase::Failed(_)) { "Not answered" } else { "On its way" });
    view! {
        <li class="tile tile--coming" aria-hidden="true">
            <div class="tile__link">
                <span class="tile__image">
                    <img
                        class="tile__preview"
                        class:tile__preview--unseen=unseen
                        src=upload.preview
                        alt=""
                        loading="lazy"
                        decoding="async"
                        on:error=move |_| unseen.set(true)
                    />
                </span>
                <span class="tile__label">{state}</span>
            </div>
            <p class="tile__state"></p>
        </li>
    }
}

/// Loads the list's next page.
#[component]
fn More() -> impl IntoView {
    let album = expect_context::<Visit>().album;
    let busy = RwSignal::new(false);
    let trouble = RwSignal::new(None::<Trouble>);
    let load = Callback::new(move |()| {
        busy.set(true);
        trouble.set(None);
        spawn_local(async move {
            match client::predictions(album.next()).await {
                Ok(page) => album.append(page),
                Err(refused) => trouble.set(Some(refused)),
            }
            busy.set(false);
        });
    });
    view! {
        {move || album.next().map(|_| view! {
            <button type="button" class="button album__more" disabled=busy on:click=move |_| load.run(())>
                "Show more"
            </button>
        })}
        {move || trouble.get().map(|trouble| view! { <TroubleNotice trouble retry=load/> })}
    }
}
