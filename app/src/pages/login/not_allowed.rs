//! For somebody who is signed in, but not as whom this page is for.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_meta::Title;

use super::field::Door;
use crate::{
    backend::{Backend, PageStatus, PostedProblem},
    trouble::Trouble,
};

/// What somebody sees who is signed in and asks for a page of others.
#[component]
pub fn NotAllowed() -> impl IntoView {
    if let Some(status) = use_context::<PageStatus>() {
        status.set(403);
    }
    let viewer = use_context::<Arc<dyn Backend>>().map(|backend| backend.viewer()).unwrap_or_default();
    let why = use_context::<PostedProblem>().map(|posted| Trouble::from(posted.0).advice());
    view! {
        <Title text="Not for you"/>
        <Door sign="403">
            <h1>"This room is for others."</h1>
            {why.map(|why| view! { <p class="door__lead">{why}</p> })}
            {viewer.name.map(|name| view! {
                <p>{format!("You are signed in as {name}, {}.", viewer.role)}</p>
            })}
            <div class="door__ways">
                <a class="button button--primary" href="/" rel="external">"To the kitchen"</a>
                <form method="post" action="/logout">
                    <button class="button" r#type="submit">"Sign out"</button>
                </form>
            </div>
        </Door>
    }
}
