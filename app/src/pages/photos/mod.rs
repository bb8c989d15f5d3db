//! The pages `/photos` and `/photos/{id}`: operators look through every photo there is.
//!
//! The address says what is looked at (see [`Browse`]), so that a list can be reloaded, shared and gone back to. With
//! scripts off, filters are a form, sorting is links, and the next page is a link; alive, the same controls change the
//! address without loading a document, and scrolling brings the next page.

mod bulk;
mod filters;
mod left;
mod list;
mod loading;
mod marks;
mod one;
mod selection;
mod sheet;
mod shelf;
mod table;
mod take_out;
mod watching;

use gourmetgram_api::ProblemKind;
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

pub use self::one::PhotoPage;
use self::{filters::Filters, list::Photos};
use crate::{
    components::{TroubleNotice, later},
    explore::{Browse, Explored},
    trouble::Trouble,
};

/// The list.
#[component]
pub fn PhotosPage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| Browse::read(&query.read()));
    // Read in the page's own task, and drawn in the next: it came with the document, so that part waits for nothing.
    let explored = Resource::new_blocking(|| (), move |()| loading::list(asked.get_untracked()));
    let listed = move || {
        view! {
            <Suspense fallback=Skeleton>
                {move || Suspend::new(async move {
                    match explored.await {
                        Ok(explored) => Either::Left(view! { <Explorer explored asked/> }),
                        Err(trouble) => Either::Right(view! { <Closed trouble/> }),
                    }
                })}
            </Suspense>
        }
    };
    view! {
        <Title text="Photos"/>
        <div>{later(listed)}</div>
    }
}

#[component]
fn Explorer(explored: Explored, asked: Memo<Browse>) -> impl IntoView {
    let parts = move || {
        let facets = explored.facets.clone();
        view! {
            <Filters facets asked/>
            <Photos explored asked/>
        }
    };
    view! { <div class="explorer">{later(parts)}</div> }
}

/// What stands in the list's place until it is there: as large as it. A page that comes alive makes it as well and throws it
/// away, so its tiles are one piece of text.
#[component]
fn Skeleton() -> impl IntoView {
    let tiles = r#"<li class="print print--empty"></li>"#.repeat(24);
    view! {
        <div class="explorer" role="status" aria-label="Loading the photos">
            <div class="filters filters--empty"></div>
            <div class="explorer__list">
                <h1 class="explorer__title">"Photos"</h1>
                <ul class="cards" aria-hidden="true" inner_html=tiles></ul>
            </div>
        </div>
    }
}

/// Why there is no page, and what to do about it.
#[component]
fn Closed(trouble: Trouble) -> impl IntoView {
    let is_sign_in = matches!(
        &trouble,
        Trouble::Refused(problem) if matches!(problem.kind, ProblemKind::Unauthenticated | ProblemKind::Forbidden)
    );
    view! {
        <div class="closed">
            <h1>{if is_sign_in { "This is for operators." } else { "We cannot show the photos right now." }}</h1>
            <TroubleNotice trouble/>
            {match is_sign_in {
                true => Either::Left(view! {
                    <a class="button button--primary" href="/login?next=/photos" rel="external">"Sign in"</a>
                }),
                false => Either::Right(view! {
                    <a class="button button--primary" href="/photos" rel="external">"Try again"</a>
                }),
            }}
        </div>
    }
}
