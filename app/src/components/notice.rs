//! Boxes that say something about the page itself.

use leptos::{either::EitherOf3, prelude::*};

use super::Icon;
use crate::trouble::Trouble;

/// Something the visitor should know, that is no error.
#[component]
pub fn Notice(
    /// What happened.
    #[prop(into)]
    title: String,
    /// What it means, or what to do.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! {
        <div class="notice" role="status">
            <p class="notice__title">{title}</p>
            <p>{text}</p>
        </div>
    }
}

/// An error: what happened, what to do, and a button to try again where that may help.
#[component]
pub fn TroubleNotice(
    /// What went wrong.
    trouble: Trouble,
    /// Tries again. Without it no button is shown.
    #[prop(optional, into)]
    retry: Option<Callback<()>>,
) -> impl IntoView {
    let retry = retry.filter(|_| trouble.may_pass());
    view! {
        <div class="notice notice--trouble" role="alert">
            {Icon::Warning.view()}
            <div class="notice__body">
                <p class="notice__title">{trouble.title()}</p>
                <p>{trouble.advice()}</p>
                {match retry {
                    Some(retry) => EitherOf3::A(view! {
                        <button type="button" class="button" on:click=move |_| retry.run(())>"Try again"</button>
                    }),
                    None if trouble.needs_reload() => EitherOf3::B(view! {
                        <a class="button" href="/" rel="external">"Load the page again"</a>
                    }),
                    None => EitherOf3::C(()),
                }}
            </div>
        </div>
    }
}
