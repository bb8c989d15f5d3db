//! `/login` and what lies below it: the door for those who run the service.
//!
//! These pages are plain forms and nothing else. They are rendered on the server for each request, come without
//! scripts, and never come alive: who may do what is asked where it is known. A browser that gets here from a living
//! page loads the document.

#[cfg(feature = "ssr")]
mod account;
#[cfg(feature = "ssr")]
mod field;
#[cfg(feature = "ssr")]
mod link;
#[cfg(feature = "ssr")]
mod not_allowed;
#[cfg(feature = "ssr")]
mod sign_in;

use leptos::prelude::*;

/// Where the pages lie.
pub const DOOR: &str = "/login";

/// Whether the page at `path` is one of these.
pub fn is_here(path: &str) -> bool {
    path.split(['?', '#'])
        .next()
        .and_then(|path| path.strip_prefix(DOOR))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// `/login`: name and password.
#[component]
pub fn SignInPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    return view! { <sign_in::SignIn/> };
    #[cfg(not(feature = "ssr"))]
    view! { <ByDocument/> }
}

/// `/login/link`: the button that uses a one-time link.
#[component]
pub fn LinkPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    return view! { <link::Link/> };
    #[cfg(not(feature = "ssr"))]
    view! { <ByDocument/> }
}

/// `/login/account`: a name and a password for who came by link, another password for everybody else.
#[component]
pub fn AccountPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    return view! { <account::Account/> };
    #[cfg(not(feature = "ssr"))]
    view! { <ByDocument/> }
}

/// What somebody sees who is signed in and asks for a page of others.
#[component]
pub fn NotAllowedPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    return view! { <not_allowed::NotAllowed/> };
    #[cfg(not(feature = "ssr"))]
    view! { <ByDocument/> }
}

/// In a living page, which came to a page that is only a document: goes on to the document at this address.
#[cfg(not(feature = "ssr"))]
#[component]
pub fn ByDocument() -> impl IntoView {
    let location = leptos_router::hooks::use_location();
    Effect::new(move |_| {
        let (path, query) = (location.pathname.get(), location.search.get());
        let query = if query.is_empty() { query } else { format!("?{}", query.trim_start_matches('?')) };
        // An address that cannot be gone to leaves the words below.
        let _ = window().location().set_href(&format!("{path}{query}"));
    });
    view! { <p class="loading" role="status">"One moment…"</p> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_door_and_what_lies_below_it_is_here() {
        for here in ["/login", "/login?next=/photos", "/login/link", "/login/account"] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in ["/", "/loginfo", "/photos?next=/login"] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
