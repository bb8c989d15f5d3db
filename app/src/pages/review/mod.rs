//! The page `/review`: annotators label photos one after another.
//!
//! With scripts off every answer is a form that leads to the next photo. Alive, an answer shows the next photo at once,
//! which lies ready already, and is sent behind it (see [`session`]); every answer has a key.

mod desk;
mod loading;
mod session;
mod states;
mod tools;

use gourmetgram_api::ReviewDesk;
use leptos::{
    either::{Either, EitherOf4},
    prelude::*,
};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use self::{
    desk::Desk,
    states::{Campaigns, Closed, Nothing, Unknown},
};
use crate::review::{Asked, Chosen, choose};

/// Loads what is to be labelled, then shows it.
#[component]
pub fn ReviewPage() -> impl IntoView {
    let asked = Asked::read(&use_query_map().read_untracked());
    let desk = Resource::new_blocking(|| (), move |()| loading::load(asked));
    view! {
        <Title text="Review"/>
        <Suspense fallback=|| view! { <p class="loading" role="status">"Fetching the photos…"</p> }>
            {move || Suspend::new(async move {
                match desk.await {
                    Ok(desk) => Either::Left(view! { <Review desk asked/> }),
                    Err(trouble) => Either::Right(view! { <Closed trouble/> }),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Review(desk: ReviewDesk, asked: Asked) -> impl IntoView {
    let ReviewDesk { classes, campaigns, tasks } = desk;
    match choose(&campaigns, asked.campaign) {
        Chosen::Nothing => EitherOf4::A(view! { <Nothing/> }),
        Chosen::Several => EitherOf4::B(view! { <Campaigns campaigns/> }),
        Chosen::Unknown => EitherOf4::C(view! { <Unknown/> }),
        Chosen::Campaign(campaign) => {
            let is_one_of_several = campaigns.len() > 1;
            EitherOf4::D(view! { <Desk campaign classes tasks last=asked.last is_one_of_several/> })
        }
    }
}
