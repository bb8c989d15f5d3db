//! The button that uses a one-time link.

use gourmetgram_api::ProblemKind;
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::field::{Answer, Door};
use crate::{backend::PostedProblem, trouble::Trouble};

/// `/login/link`: the button that uses a one-time link.
#[component]
pub fn Link() -> impl IntoView {
    let token = use_query_map().read_untracked().get("token").filter(|token| !token.is_empty());
    let was_refused = use_context::<PostedProblem>().is_some();
    view! {
        <Title text="Operator link"/>
        <Door sign="Operator">
            <h1>"The key to the kitchen"</h1>
            <Answer title=title/>
            {match token.filter(|_| !was_refused) {
                Some(token) => Either::Left(view! {
                    <p class="door__lead">
                        "This link signs you in as an operator: somebody who sees every photo and runs the service. It \
                         works once, within 15 minutes of when it was made."
                    </p>
                    <form class="door__form" method="post" action="/login/link">
                        <input r#type="hidden" name="token" value=token/>
                        <button class="button button--primary" r#type="submit">"Sign in as operator"</button>
                    </form>
                }),
                None => Either::Right(view! {
                    <p class="door__lead">
                        "A new link is printed on the server by " <code>"gourmetgram user link"</code>
                        ". If you have a name and a password, " <a href="/login">"sign in with them"</a> "."
                    </p>
                }),
            }}
        </Door>
    }
}

fn title(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Refused(problem) if problem.kind == ProblemKind::NotFound => {
            "This link opens nothing any more".to_owned()
        }
        other => other.title(),
    }
}
