//! A name and a password for an operator who came by link; another password for everybody who is signed in.

use std::sync::Arc;

use gourmetgram_api::ProblemKind;
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;

use super::field::{Answer, Door, Field, Purpose};
use crate::{backend::Backend, trouble::Trouble};

const STRENGTH: &str = "12 characters or more; a few words that do not belong together are good.";

/// `/login/account`: a name and a password for who came by link, another password for everybody else.
#[component]
pub fn Account() -> impl IntoView {
    let viewer = use_context::<Arc<dyn Backend>>().map(|backend| backend.viewer()).unwrap_or_default();
    match viewer.name {
        None => Either::Left(view! { <NewAccount/> }),
        Some(name) => Either::Right(view! { <AnotherPassword name/> }),
    }
}

#[component]
fn NewAccount() -> impl IntoView {
    view! {
        <Title text="Your account"/>
        <Door sign="Welcome">
            <h1>"You are in. Make it last."</h1>
            <Answer title=title/>
            <p class="door__lead">
                "The link is used up, and this session ends within the hour. Choose a name and a password to come back \
                 with."
            </p>
            <form class="door__form" method="post" action="/login/account">
                <Field label="Name" name="name" purpose=Purpose::Name first=true
                    hint="Letters, digits and . _ - @ +, no spaces."/>
                <Field label="Password" name="password" purpose=Purpose::NewPassword hint=STRENGTH/>
                <Field label="The same password again" name="again" purpose=Purpose::NewPassword/>
                <button class="button button--primary" r#type="submit">"Make my account"</button>
            </form>
            <p class="door__aside"><a href="/" rel="external">"Not now"</a></p>
        </Door>
    }
}

#[component]
fn AnotherPassword(name: String) -> impl IntoView {
    view! {
        <Title text="Your account"/>
        <Door sign="Account">
            <h1 class="door__name">{name.clone()}</h1>
            <Answer title=title/>
            <p class="door__lead">"Another password signs you out everywhere else."</p>
            <form class="door__form" method="post" action="/login/password">
                // Tells a password manager whose password this is.
                <input class="visually-hidden" r#type="text" autocomplete="username" value=name readonly=true
                    tabindex="-1" aria-hidden="true"/>
                <Field label="Current password" name="current" purpose=Purpose::CurrentPassword/>
                <Field label="New password" name="password" purpose=Purpose::NewPassword hint=STRENGTH/>
                <Field label="The new password again" name="again" purpose=Purpose::NewPassword/>
                <button class="button button--primary" r#type="submit">"Change the password"</button>
            </form>
            <form class="door__aside" method="post" action="/logout">
                <button class="button" r#type="submit">"Sign out"</button>
            </form>
        </Door>
    }
}

fn title(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Refused(problem) => match problem.kind {
            ProblemKind::Unprocessable => "Not yet".to_owned(),
            ProblemKind::Conflict => "That name is taken".to_owned(),
            ProblemKind::RateLimited => "Too many tries".to_owned(),
            _ => trouble.title(),
        },
        other => other.title(),
    }
}
