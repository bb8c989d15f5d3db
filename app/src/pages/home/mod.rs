//! The page `/`: a photo goes in, a label comes out, and the visitor says whether it is right.
//!
//! The address says which photo is shown (`?photo={id}`), so an answer can be reloaded and the back button works. Left
//! (on phones: above) is the stage with the picture, right the panel with the words; below are the visitor's photos.

mod answer;
mod incoming;
mod loading;
mod my_photos;
mod pass;
mod sending;
mod stage;
mod turned_away;
mod welcome;

use gourmetgram_api::PredictionId;
use js_sys::Reflect;
use leptos::{
    either::{Either, EitherOf4},
    ev, html,
    prelude::*,
};
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
};

use self::{
    answer::Answer,
    my_photos::MyPhotos,
    pass::Pass,
    sending::Sending,
    stage::{PhotoOnStage, PlateOnStage, UploadOnStage},
    turned_away::TurnedAwayDialog,
    welcome::{Missing, Welcome},
};
use crate::{
    album::Photo,
    components::{Confirmation, TroubleNotice, later, once_alive},
    home::Home,
    offline,
    posted::Posted,
    upload::Upload,
    visit::Visit,
};

/// What the address asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// No photo.
    Nothing,
    /// This photo.
    Photo(PredictionId),
    /// Something that cannot be a photo's id.
    Nonsense,
}

impl Asked {
    fn read(photo: Option<String>) -> Self {
        match photo.map(|id| id.parse()) {
            None => Self::Nothing,
            Some(Ok(id)) => Self::Photo(id),
            Some(Err(_)) => Self::Nonsense,
        }
    }
}

/// What the page is about now.
#[derive(Clone, Debug, PartialEq)]
enum Scene {
    Welcome,
    Sending(Upload),
    Shown(Photo),
    Missing,
}

/// Loads what the page shows, then shows it.
#[component]
pub fn HomePage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| Asked::read(query.read().get("photo")));
    let was_erased = query.read_untracked().get("erased").is_some();
    let posted = StoredValue::new(Posted::read(&query.read_untracked()));
    let home = Resource::new_blocking(|| (), move |()| loading::load(asked.get_untracked()));
    view! {
        <Suspense fallback=|| view! { <p class="loading" role="status">"Setting the table…"</p> }>
            {move || Suspend::new(async move {
                match home.await {
                    Ok(home) => Either::Left(view! { <Table home asked was_erased posted=posted.get_value()/> }),
                    Err(trouble) => Either::Right(view! {
                        <Title text="Not available"/>
                        <div class="closed">
                            <h1>"We cannot serve right now."</h1>
                            <TroubleNotice trouble/>
                            <a class="button button--primary" href="/" rel="external">"Try again"</a>
                        </div>
                    }),
                }
            })}
        </Suspense>
    }
}

/// The page itself, once it is known what is on it.
#[component]
fn Table(home: Home, asked: Memo<Asked>, was_erased: bool, posted: Option<Posted>) -> impl IntoView {
    let navigate = use_navigate();
    let go = Callback::new(move |to: String| navigate(&to, NavigateOptions::default()));
    let visit = Visit::new(home, go);
    provide_context(visit);

    let scene = Memo::new(move |_| {
        let shown = match asked.get() {
            Asked::Photo(id) => visit.album.find(id).map_or(Scene::Missing, Scene::Shown),
            Asked::Nothing => Scene::Welcome,
            Asked::Nonsense => Scene::Missing,
        };
        match visit.line.on_stage.get() {
            // An upload stays on stage until its answer can take its place, or the visitor looks at something else.
            Some(upload) if asked.get() != Asked::Photo(upload.id) => Scene::Sending(upload),
            _ => shown,
        }
    });
    Effect::new(move |before: Option<Asked>| {
        let now = asked.get();
        if before.is_some_and(|before| before != now) {
            visit.line.on_stage.set(None);
        }
        now
    });

    let dragging = RwSignal::new(false);
    let queue = NodeRef::<html::Div>::new();
    once_alive(move || {
        incoming::take_dropped_and_pasted(visit, dragging);
        let online = window_event_listener(ev::online, move |_| visit.resume());
        // What waits is listed there, by a script beside this one, now that the place is not the server's any more.
        if let Some(queue) = queue.get_untracked() {
            let _ = queue.set_attribute("data-ready", "");
        }
        let arrived = window_event_listener_untyped(offline::ARRIVED, move |event| {
            let id = Reflect::get(&event, &"detail".into()).ok().and_then(|id| id.as_string()?.parse().ok());
            if let Some(id) = id {
                visit.refresh(id);
            }
        });
        let leaving = window_event_listener(ev::beforeunload, move |event| {
            if visit.line.would_be_lost() {
                // The browser asks, in its own words.
                event.prevent_default();
                // For browsers that knew this first.
                event.set_return_value("waiting");
            }
        });
        on_cleanup(move || {
            online.remove();
            arrived.remove();
            leaving.remove();
            visit.line.clear();
        });
    });

    let on_table = move || {
        move || match scene.get() {
            Scene::Welcome => EitherOf4::A(view! {
                <Title text=""/>
                <PlateOnStage/>
                <Welcome was_erased/>
            }),
            Scene::Sending(upload) => EitherOf4::B(view! {
                <Title text="Looking…"/>
                <UploadOnStage upload=upload.clone()/>
                <Sending upload/>
            }),
            Scene::Shown(photo) => EitherOf4::C(view! {
                <PhotoOnStage photo=photo.clone()/>
                <Answer photo/>
            }),
            Scene::Missing => EitherOf4::D(view! {
                <Title text="Not here"/>
                <PlateOnStage/>
                <Missing/>
            }),
        }
    };
    view! {
        <div class="table" class:table--dragging=dragging>{later(on_table)}</div>
        <div id="queue" node_ref=queue></div>
        <MyPhotos asked posted/>
        <Pass asked/>
        <TurnedAwayDialog/>
        <Confirmation/>
    }
}
