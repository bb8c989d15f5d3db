//! Name and password.

use std::sync::Arc;

use gourmetgram_api::{ProblemKind, Role};
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::field::{Answer, Door, Field, Purpose};
use crate::{
    backend::{Backend, PostedProblem},
    components::Notice,
    trouble::Trouble,
};

/// `/login`: name and password.
#[component]
pub fn SignIn() -> impl IntoView {
    let query = use_query_map().read_untracked();
    let next = query.get("next").unwrap_or_default();
    let viewer = use_context::<Arc<dyn Backend>>().map(|backend| backend.viewer()).unwrap_or_default();
    let was_refused = use_context::<PostedProblem>().is_some();
    let has_ended = query.get("ended").is_some() && !was_refused;
    if viewer.role > Role::Visitor && !was_refused {
        return Either::Left(view! { <AlreadyIn name=viewer.name next/> });
    }
    Either::Right(view! {
        <Title text="Sign in"/>
        <Door sign="Kitchen">
            <h1>"Staff entrance"</h1>
            {has_ended.then(|| view! {
                <Notice title="Your session has ended." text="Sign in again to go on where you were."/>
            })}
            <Answer title=title/>
            <p class="door__lead">
                "For those who run this service or label its photos. To name a dish you need no account: "
                <a href="/">"just send a photo"</a> "."
            </p>
            <form class="door__form" method="post" action="/login">
                <input r#type="hidden" name="next" value=next/>
                <Field label="Name" name="name" purpose=Purpose::Name first=true/>
                <Field label="Password" name="password" purpose=Purpose::CurrentPassword/>
                <button class="button button--primary" r#type="submit">"Sign in"</button>
            </form>
            <p class="door__aside">
                "No account, or the password is lost? Whoever runs the server can help: "
                <code>"gourmetgram user --help"</code>
            </p>
        </Door>
    })
}

#[component]
fn AlreadyIn(name: Option<String>, next: String) -> impl IntoView {
    let onward = if stays_here(&next) { next } else { "/".to_owned() };
    view! {
        <Title text="Signed in"/>
        <Door sign="Welcome">
            <h1>"You are in."</h1>
            <p class="door__lead">
                {match name {
                    Some(name) => format!("You are signed in as {name}."),
                    None => "You are signed in by a one-time link.".to_owned(),
                }}
            </p>
            <div class="door__ways">
                <a class="button button--primary" href=onward rel="external">"Go on"</a>
                <a class="button" href="/login/account" rel="external">"Account"</a>
                <form method="post" action="/logout">
                    <button class="button" r#type="submit">"Sign out"</button>
                </form>
            </div>
        </Door>
    }
}

/// Whether an address surely leads to this site. The server checks where its forms lead; this link is ours to check.
fn stays_here(address: &str) -> bool {
    let is_plain = address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    is_plain && address.starts_with('/') && !address.starts_with("//")
}

fn title(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Refused(problem) => match problem.kind {
            ProblemKind::Unauthenticated => "That did not open the door".to_owned(),
            ProblemKind::RateLimited => "Too many tries".to_owned(),
            ProblemKind::Unavailable => "The door is busy".to_owned(),
            ProblemKind::Forbidden => "That came from somewhere else".to_owned(),
            _ => problem.title.clone(),
        },
        other => other.title(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_on_stays_here() {
        assert!(stays_here("/photos?class=Soup"));
        for elsewhere in
            ["", "//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example", "javascript:x"]
        {
            assert!(!stays_here(elsewhere), "{elsewhere:?}");
        }
    }
}
