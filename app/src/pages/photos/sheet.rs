//! A page of the list as it is drawn: tiles or lines while it is near what is seen, an empty space as high as they were
//! while it is not. So the document stays small however far somebody scrolls.

use leptos::{either::Either, ev, html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement};

use super::{list::List, marks::Marks, selection::with_shift, shelf::Shelf, table::Line, watching::Watcher};
use crate::{
    components::{later, local_text},
    explore::Card,
    forms,
    wording::{moment, percent},
};

/// So many photos of the list a phone shows without scrolling: these come first, and before anything else does.
const SEEN_FIRST: usize = 9;

/// One page.
#[component]
pub(super) fn Sheet(shelf: Shelf, is_table: bool) -> impl IntoView {
    match is_table {
        true => Either::Left(view! { <Lines shelf/> }),
        false => Either::Right(view! { <Tiles shelf/> }),
    }
}

/// A box that was ticked before the page came alive stays so.
fn adopt_ticks<E>(sheet: NodeRef<E>)
where
    E: html::ElementType + 'static,
    E::Output: JsCast + Clone + 'static,
{
    let list = expect_context::<List>();
    if let Some(sheet) = sheet.get_untracked().and_then(|sheet| sheet.dyn_into().ok()) {
        list.selection.adopt(&sheet);
    }
}

/// Draws only while `element` is near; remembers how high it is.
fn draw_while_near<E>(shelf: &Shelf, element: NodeRef<E>)
where
    E: html::ElementType + 'static,
    E::Output: JsCast + Clone + 'static,
{
    let watcher = StoredValue::new(None::<Watcher>);
    let (near, height) = (shelf.near.clone(), shelf.height.clone());
    Effect::new(move |_| {
        let Some(element) = element.get() else { return };
        let Ok(element) = element.dyn_into::<web_sys::Element>() else { return };
        let (near, height) = (near.clone(), height.clone());
        watcher.set_value(Watcher::new(&element, move |is_near, now| {
            if near.get_untracked() && !is_near {
                height.set(now);
            }
            if near.get_untracked() != is_near {
                near.set(is_near);
            }
        }));
    });
    on_cleanup(move || watcher.set_value(None));
}

/// Gives the empty space its height. By script, as the page's policy allows no style in the document itself.
fn keep_height<E>(shelf: &Shelf, element: NodeRef<E>)
where
    E: html::ElementType + 'static,
    E::Output: JsCast + Clone + 'static,
{
    let height = shelf.height.clone();
    Effect::new(move |_| {
        let Some(element) = element.get() else { return };
        if let Ok(element) = element.dyn_into::<HtmlElement>() {
            // A space without its height is a smaller space, no error.
            let _ = element.style().set_property("height", &format!("{}px", height.get()));
        }
    });
}

#[component]
fn Tiles(shelf: Shelf) -> impl IntoView {
    let list = NodeRef::<html::Ul>::new();
    let (from, to) = shelf.drawn_range();
    let tiles = move || {
        adopt_ticks(list);
        draw_while_near(&shelf, list);
        let near = shelf.near.clone();
        let drawn = Memo::new(move |_| near.get());
        move || match drawn.get() {
            true => {
                let tiles = shelf.signals().into_iter().zip((from..).map(|place| place <= SEEN_FIRST));
                Either::Left(tiles.map(|(card, is_first)| view! { <Tile card is_first/> }).collect_view())
            }
            false => {
                let space = NodeRef::<html::Li>::new();
                keep_height(&shelf, space);
                Either::Right(view! { <li class="cards__space" aria-hidden="true" node_ref=space></li> })
            }
        }
    };
    view! {
        <ul class="cards" aria-label=format!("Photos {from} to {to}") node_ref=list>{later(tiles)}</ul>
    }
}

#[component]
fn Lines(shelf: Shelf) -> impl IntoView {
    let body = NodeRef::<html::Tbody>::new();
    let lines = move || {
        adopt_ticks(body);
        draw_while_near(&shelf, body);
        let near = shelf.near.clone();
        let drawn = Memo::new(move |_| near.get());
        move || match drawn.get() {
            true => Either::Left(shelf.signals().into_iter().map(|card| view! { <Line card/> }).collect_view()),
            false => {
                let space = NodeRef::<html::Td>::new();
                keep_height(&shelf, space);
                Either::Right(view! { <tr><td class="sheet__space" colspan="8" node_ref=space></td></tr> })
            }
        }
    };
    view! { <tbody node_ref=body>{later(lines)}</tbody> }
}

#[component]
fn Tile(card: ArcRwSignal<Card>, is_first: bool) -> impl IntoView {
    let list = expect_context::<List>();
    let known = card.get_untracked();
    let id = known.id;
    let parts = move || {
        view! {
            <a class="print__link" href=move || list.asked.with(|asked| asked.photo(id))>
                <Small id side=256 is_first/>
                <span class="print__label">{known.label.clone()}</span>
                <span class="print__percent">{percent(known.confidence.get())}</span>
            </a>
            <Tick card=known/>
            <p class="print__marks"><Marks card=card.into()/></p>
        }
    };
    view! { <li class="print" class:print--ticked=move || list.selection.has(id)>{later(parts)}</li> }
}

/// A small picture. One that did not come (the server was busy) is asked for again, a few times.
#[component]
pub(super) fn Small(
    id: gourmetgram_api::PredictionId,
    side: u16,
    /// Whether it is seen at once: then it is asked for before what the page still loads.
    #[prop(optional)]
    is_first: bool,
) -> impl IntoView {
    let image = NodeRef::<html::Img>::new();
    let tries = StoredValue::new(0_u32);
    let on_error = move |_| {
        let so_far = tries.get_value();
        if so_far >= 4 {
            return;
        }
        tries.set_value(so_far + 1);
        set_timeout(
            move || {
                if let Some(Some(image)) = image.try_get_untracked() {
                    image.set_src(&forms::thumbnail(id, side));
                }
            },
            std::time::Duration::from_millis(800 << so_far),
        );
    };
    let larger =
        (side == 256).then(|| format!("{} 256w, {} 512w", forms::thumbnail(id, 256), forms::thumbnail(id, 512)));
    view! {
        <img
            class="print__image"
            src=forms::thumbnail(id, side)
            srcset=larger.clone()
            sizes=larger.map(|_| "(max-width: 40rem) 33vw, 11rem")
            alt=""
            width=side
            height=side
            loading=if is_first { "eager" } else { "lazy" }
            fetchpriority=is_first.then_some("high")
            decoding="async"
            node_ref=image
            on:error=on_error
        />
    }
}

/// The box that ticks a photo. Its name says when the photo came, which nobody sees: in UTC, and in the visitor's clock once
/// they are at it. A browser takes long to get ready for its first clock.
#[component]
pub(super) fn Tick(card: Card) -> impl IntoView {
    let list = expect_context::<List>();
    let id = card.id;
    let at = RwSignal::new(moment(card.at));
    let on_focus = move |_| {
        if let Some(local) = local_text(card.at) {
            at.set(local);
        }
    };
    let on_click = move |event: ev::MouseEvent| {
        list.selection.set(id, event_target_checked(&event), with_shift(&event), &list.ids());
        // One more than can be ticked stays empty.
        if let Some(ticked) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) {
            ticked.set_checked(untrack(|| list.selection.has(id)));
        }
    };
    view! {
        <label class="tickmark">
            <input
                class="tick__box"
                type="checkbox"
                name="id"
                value=id.to_string()
                aria-label=move || format!("Select {}, {}", card.label, at.get())
                prop:checked=move || list.selection.has(id)
                on:click=on_click
                on:focus=on_focus
                autocomplete="off"
            />
        </label>
    }
}
