//! What is at the head of every page: the way to the other pages, and who is signed in.

use gourmetgram_api::{Role, Viewer};
use leptos::{either::EitherOf3, prelude::*};
use leptos_router::hooks::use_location;

use super::{Icon, Wordmark, later};
use crate::{forms, pages::login};

/// Each page with the least role that may open it.
const PAGES: [(&str, &str, Icon, Role); 7] = [
    ("/", "Photo", Icon::Camera, Role::Visitor),
    ("/dashboard", "Dashboard", Icon::Gauge, Role::Operator),
    ("/photos", "Photos", Icon::Grid, Role::Operator),
    ("/campaigns", "Campaigns", Icon::List, Role::Operator),
    ("/review", "Review", Icon::Tick, Role::Annotator),
    ("/pipelines", "Pipelines", Icon::Flow, Role::Operator),
    ("/models", "Models", Icon::Layers, Role::Operator),
];

/// The wordmark, the pages this viewer may open, and their account.
#[component]
pub fn Masthead() -> impl IntoView {
    let parts = || {
        view! {
            <a class="wordmark" href="/" aria-label="GourmetGram, to the start">
                <Wordmark/>
            </a>
            <Navigation/>
            <Account/>
        }
    };
    view! { <header class="masthead">{later(parts)}</header> }
}

/// Links to the pages. Whoever may only send photos has no use for it.
///
/// Each link loads a document: its content comes ready from the server, and no page needs a second way to get it.
#[component]
fn Navigation() -> impl IntoView {
    let role = expect_context::<Viewer>().role;
    let pathname = use_location().pathname;
    let links = move || {
        PAGES
            .into_iter()
            .filter(|(_, _, _, least)| role >= *least)
            .map(|(href, name, icon, _)| {
                let is_here = move || pathname.with(|path| path == href || (href != "/" && is_below(path, href)));
                view! {
                    <li>
                        <a
                            class="navigation__link"
                            href=href
                            rel=(href != "/").then_some("external")
                            aria-current=move || is_here().then_some("page")
                        >
                            {icon.view()}
                            <span>{name}</span>
                        </a>
                    </li>
                }
            })
            .collect_view()
    };
    (role > Role::Visitor).then(|| {
        view! {
            <nav class="navigation" aria-label="Pages">
                <ul class="navigation__list">{links()}</ul>
            </nav>
        }
    })
}

/// The way in, or the name and the way out.
#[component]
fn Account() -> impl IntoView {
    let Viewer { role, name } = expect_context::<Viewer>();
    let location = use_location();
    match name {
        Some(name) => EitherOf3::A(view! {
            <form class="account" method="post" action=forms::SIGN_OUT>
                <span class="account__name" title=format!("{name}, {role}")>{name.clone()}</span>
                <button class="account__link" type="submit">"Sign out"</button>
            </form>
        }),
        // A machine's token, or a page looked at through one: there is no session to end.
        None if role > Role::Visitor => {
            EitherOf3::B(view! { <p class="account"><span class="account__name">{role.as_str()}</span></p> })
        }
        // Whoever is at the door already needs no way to it.
        None => EitherOf3::C((!login::is_here(&location.pathname.get_untracked())).then(|| {
            view! {
                <p class="account">
                    <a
                        class="account__link"
                        rel="external"
                        href=move || forms::sign_in(&location.pathname.read(), &location.search.read())
                    >
                        "Sign in"
                    </a>
                </p>
            }
        })),
    }
}

fn is_below(path: &str, page: &str) -> bool {
    path.strip_prefix(page).is_some_and(|rest| rest.starts_with('/'))
}
