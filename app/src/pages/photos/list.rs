//! The list beside the filters: its head, its photos, and what is done with those that are ticked.

use gourmetgram_api::{Cursor, PredictionId, SortKey, SortOrder, Total};
use leptos::{either::EitherOf4, ev, html, prelude::*, task::spawn_local};
use wasm_bindgen::JsCast;

use super::{
    bulk::{Bulk, BulkBar},
    loading,
    selection::{Selection, walk},
    sheet::Sheet,
    shelf::Shelf,
    table::TableHead,
    take_out::TakeOut,
    watching::Watcher,
};
use crate::{
    client,
    components::{TroubleNotice, later, once_alive},
    explore::{Browse, Card, CardPage, Explored, Field, LIST},
    trouble::Trouble,
    wording::count,
};

/// The list's state. Copies are handles to the same state; components find it by context.
#[derive(Clone, Copy)]
pub(super) struct List {
    /// What the address asks for.
    pub(super) asked: Memo<Browse>,
    /// The pages scrolled to so far.
    pub(super) shelves: RwSignal<Vec<Shelf>>,
    /// The ticked photos.
    pub(super) selection: Selection,
    pub(super) next: RwSignal<Option<Cursor>>,
    pub(super) total: RwSignal<Option<Total>>,
    busy: RwSignal<bool>,
    trouble: RwSignal<Option<Trouble>>,
    /// How far it is scrolled, in pixels.
    pub(super) scrolled: StoredValue<f64>,
    /// Counts the questions: an answer to an older one is thrown away.
    question: StoredValue<u64>,
}

impl List {
    fn new(explored: &Explored, asked: Memo<Browse>) -> Self {
        let list = Self {
            asked,
            shelves: RwSignal::new(Vec::new()),
            selection: Selection::new(),
            next: RwSignal::new(None),
            total: RwSignal::new(None),
            busy: RwSignal::new(false),
            trouble: RwSignal::new(explored.unusable.clone().map(Trouble::from)),
            scrolled: StoredValue::new(0.0),
            question: StoredValue::new(0),
        };
        list.begin(explored.page.clone());
        list
    }

    fn begin(self, page: CardPage) {
        self.total.set(page.total);
        self.shelves.set(Vec::new());
        self.append(page);
    }

    fn append(self, page: CardPage) {
        self.next.set(page.next_cursor);
        if page.cards.is_empty() {
            return;
        }
        self.shelves.update(|shelves| shelves.push(Shelf::new(shelves.len(), page.cards)));
    }

    /// The photos in the list's order.
    pub(super) fn ids(self) -> Vec<PredictionId> {
        self.shelves.with_untracked(|shelves| shelves.iter().flat_map(Shelf::ids).collect())
    }

    /// Changes what the list shows of one photo.
    pub(super) fn change(self, id: PredictionId, change: impl Fn(&mut Card)) {
        self.shelves.with_untracked(|shelves| {
            for shelf in shelves {
                shelf.change(id, &change);
            }
        });
    }

    /// Asks for the list that the address names now.
    fn ask(self) {
        let question = self.question.get_value() + 1;
        self.question.set_value(question);
        self.trouble.set(None);
        self.selection.clear();
        let query = match self.asked.get_untracked().query() {
            Ok(query) => query,
            Err(problem) => {
                self.begin(CardPage::default());
                self.trouble.set(Some(problem.into()));
                return;
            }
        };
        self.busy.set(true);
        spawn_local(async move {
            let answer = loading::first_page(query).await;
            if self.question.try_get_value() != Some(question) {
                return;
            }
            self.busy.set(false);
            match answer {
                Ok(page) => self.begin(page),
                Err(trouble) => self.trouble.set(Some(trouble)),
            }
        });
    }

    /// Asks for the next page, unless it is on its way, or the last try failed.
    fn go_on(self) {
        let Some(cursor) = self.next.get_untracked() else { return };
        if self.busy.get_untracked() || self.trouble.with_untracked(Option::is_some) {
            return;
        }
        let Ok(query) = self.asked.get_untracked().query() else { return };
        let question = self.question.get_value();
        self.busy.set(true);
        spawn_local(async move {
            let query = gourmetgram_api::PredictionQuery { cursor: Some(cursor), ..query };
            let answer = client::search(&query).await;
            if self.question.try_get_value() != Some(question) {
                return;
            }
            self.busy.set(false);
            match answer {
                Ok(page) => self.append(page.into()),
                Err(trouble) => self.trouble.set(Some(trouble)),
            }
        });
    }

    fn retry(self) {
        self.trouble.set(None);
        if self.shelves.with_untracked(Vec::is_empty) { self.ask() } else { self.go_on() }
    }
}

/// The list.
#[component]
pub(super) fn Photos(explored: Explored, asked: Memo<Browse>) -> impl IntoView {
    let list = List::new(&explored, asked);
    provide_context(list);
    let bulk = Bulk::new(list);
    provide_context(bulk);

    // Another view shows the same photos.
    let wanted = Memo::new(move |_| asked.with(|asked| asked.with(Field::View, "")));
    // Effects run later: another list may be asked for by then.
    let mut asked_for = wanted.get_untracked();
    Effect::new(move |before: Option<()>| {
        let now = wanted.get();
        if before.is_none() {
            list.return_to();
        }
        if asked_for != now {
            list.ask();
            asked_for = now;
        }
    });
    Effect::new(move |_| {
        let keys = window_event_listener(ev::keydown, move |event| {
            if event.key() == "Escape" {
                list.selection.clear();
            }
        });
        let scrolling = window_event_listener(ev::scroll, move |_| list.note_scrolling());
        on_cleanup(move || {
            keys.remove();
            scrolling.remove();
            list.leave();
        });
    });

    let section = NodeRef::<html::Section>::new();
    let on_key = move |event: ev::KeyboardEvent| {
        if let Some(section) = section.get_untracked() {
            walk(&event, &section);
        }
    };
    let listed = move || {
        let shown = move || {
            let is_empty = list.shelves.with(Vec::is_empty);
            let trouble = list.trouble.get().filter(|_| is_empty);
            match trouble {
                Some(trouble) => EitherOf4::A(view! {
                    <TroubleNotice trouble retry=Callback::new(move |()| list.retry())/>
                }),
                None if !is_empty => EitherOf4::B(view! { <Shelves list/> }),
                None if list.busy.get() => EitherOf4::C(()),
                None => EitherOf4::D(view! { <Nothing asked/> }),
            }
        };
        view! { <BulkBar/> {shown} }
    };
    view! {
        <section
            class="explorer__list"
            aria-labelledby="photos-title"
            aria-busy=move || list.busy.get().to_string()
            node_ref=section
            on:keydown=on_key
        >
            <header class="explorer__head">{later(move || view! { <Head list/> })}</header>
            <form class="photos" method="post" action=move || posted_to(&asked.get())>{later(listed)}</form>
            // Beside the list's own form, not in it: undoes what that one did, where scripts are off.
            <form id="undo-flags" method="post" action=move || posted_to(&asked.get()) hidden></form>
            <More list/>
        </section>
    }
}

/// Where the ticked photos are sent: the answer is this list again.
fn posted_to(asked: &Browse) -> String {
    format!("{}{}", crate::forms::FLAGS, asked.search())
}

#[component]
fn Head(list: List) -> impl IntoView {
    let asked = list.asked;
    let number = move || {
        list.total.get().map(|total| match total {
            Total { counted, or_more: true } => format!("more than {counted} photos"),
            Total { counted, .. } => count(usize::try_from(counted).unwrap_or_default(), "photo", "photos"),
        })
    };
    let sorts = [(SortKey::Time, "Time"), (SortKey::Confidence, "Confidence"), (SortKey::Class, "Class")];
    let sorts = sorts.map(|(key, name)| view! { <li><SortLink key name asked/></li> });
    let view_link = move |view: &'static str, name: &'static str| {
        let is_now = move || asked.with(|asked| asked.is_table()) == (view == "table");
        view! {
            <li>
                <a
                    class="switch__side"
                    href=move || asked.with(|asked| asked.with(Field::View, view).list())
                    aria-current=move || is_now().then_some("true")
                >
                    {name}
                </a>
            </li>
        }
    };
    view! {
        <h1 class="explorer__title" id="photos-title">"Photos"</h1>
        <p class="explorer__number" role="status">{number}</p>
        <nav class="explorer__order" aria-label="Order">
            <ul class="switch">{sorts.into_iter().collect_view()}</ul>
        </nav>
        <nav aria-label="View">
            <ul class="switch">{view_link("", "Grid")} {view_link("table", "Table")}</ul>
        </nav>
        <TakeOut asked/>
    }
}

/// A link that sorts by one column, or turns its order.
#[component]
pub(super) fn SortLink(key: SortKey, name: &'static str, asked: Memo<Browse>) -> impl IntoView {
    let order = move || asked.with(Browse::sorted_by);
    let arrow = move || match order() {
        (now, SortOrder::Ascending) if now == key => " ↑",
        (now, SortOrder::Descending) if now == key => " ↓",
        _ => "",
    };
    let spoken = move || match order() {
        (now, SortOrder::Ascending) if now == key => ", rising; turn the order",
        (now, SortOrder::Descending) if now == key => ", falling; turn the order",
        _ => "",
    };
    view! {
        <a
            class="switch__side"
            href=move || asked.with(|asked| asked.sort(key).list())
            aria-current=move || (order().0 == key).then_some("true")
        >
            {name}
            <span aria-hidden="true">{arrow}</span>
            <span class="visually-hidden">{spoken}</span>
        </a>
    }
}

#[component]
fn Shelves(list: List) -> impl IntoView {
    let is_table = Memo::new(move |_| list.asked.with(Browse::is_table));
    move || match is_table.get() {
        true => leptos::either::Either::Left(view! {
            <div class="sheet-frame">
                <table class="sheet">
                    <TableHead asked=list.asked/>
                    <For each=move || list.shelves.get() key=Shelf::key let:shelf>
                        <Sheet shelf is_table=true/>
                    </For>
                </table>
            </div>
        }),
        false => leptos::either::Either::Right(view! {
            <For each=move || list.shelves.get() key=Shelf::key let:shelf>
                <Sheet shelf is_table=false/>
            </For>
        }),
    }
}

/// Nothing to show: because there is nothing yet, or because nothing meets the filters.
#[component]
fn Nothing(asked: Memo<Browse>) -> impl IntoView {
    move || match asked.with(Browse::filters) {
        0 if asked.with(|asked| asked.get(Field::After).is_empty()) => leptos::either::Either::Left(view! {
            <div class="nothing">
                <h2>"No photos yet."</h2>
                <p>"Every photo that somebody shows to GourmetGram lines up here. Send the first one, or have some sent:"</p>
                <p><code>"gourmetgram replay FOLDER"</code></p>
                <a class="button button--primary" href="/">"Send a photo"</a>
            </div>
        }),
        _ => leptos::either::Either::Right(view! {
            <div class="nothing">
                <h2>"No photo is like that."</h2>
                <p>"Nothing meets all of these filters."</p>
                <a class="button button--primary" href=move || asked.with(|asked| asked.unfiltered().list())>
                    "Clear the filters"
                </a>
            </div>
        }),
    }
}

/// The list's end: with scripts off a link to the next page, alive what brings it by itself.
#[component]
fn More(list: List) -> impl IntoView {
    let end = NodeRef::<html::Div>::new();
    let watcher = StoredValue::new(None::<Watcher>);
    let near = RwSignal::new(false);
    // Whether the keyboard is here, or went on from here. What it is on does not run away from it: the list grows no further
    // by itself then.
    let held = RwSignal::new(false);
    let on_leave = move |event: ev::FocusEvent| {
        held.set(end.get_untracked().is_some_and(|end| is_after(&end, event.related_target().as_ref())));
    };
    // The list grows no more before it has come alive.
    once_alive(move || {
        if let Some(end) = end.get_untracked() {
            watcher.set_value(Watcher::new(&end, move |is_near, _| {
                near.set(is_near);
                if !is_near {
                    held.set(false);
                }
            }));
        }
    });
    // As long as the end is near: a page may be shorter than the window.
    Effect::new(move |_| {
        list.shelves.track();
        if near.get() && !held.get() && !list.busy.get() {
            list.go_on();
        }
    });
    // What was on its way when the keyboard came pushes it down once.
    Effect::new(move |_| {
        list.shelves.track();
        if held.get_untracked() {
            request_animation_frame(move || {
                if let (true, Some(end)) = (held.get_untracked(), end.get_untracked()) {
                    let keyboard = document().active_element().filter(|at| is_after(&end, Some(at)));
                    keyboard.as_ref().unwrap_or(&end).scroll_into_view_with_bool(false);
                }
            });
        }
    });
    on_cleanup(move || watcher.set_value(None));
    let link = move || {
        list.next.get().map(|cursor| {
            let next = list.asked.with(|asked| {
                let search = asked.with(Field::After, "").search();
                let joint = if search.is_empty() { '?' } else { '&' };
                // A cursor is made of letters that need no quoting.
                format!("{}{search}{joint}after={cursor}", LIST)
            });
            view! { <a class="button more__link" href=next rel="next">"Next page"</a> }
        })
    };
    let first = move || {
        let is_later = list.asked.with(|asked| !asked.get(Field::After).is_empty());
        is_later.then(|| {
            let first = list.asked.with(|asked| asked.with(Field::After, "").list());
            view! { <a class="button more__link" href=first>"First page"</a> }
        })
    };
    let trouble = move || list.trouble.get().filter(|_| list.shelves.with(|shelves| !shelves.is_empty()));
    view! {
        <div class="more" node_ref=end on:focusin=move |_| held.set(true) on:focusout=on_leave>
            {move || trouble().map(|trouble| view! {
                <TroubleNotice trouble retry=Callback::new(move |()| list.retry())/>
            })}
            {first}
            {link}
        </div>
    }
}

/// Whether `target` is something in `element`, or after it in the document.
fn is_after(element: &web_sys::Node, target: Option<&web_sys::EventTarget>) -> bool {
    target
        .and_then(|target| target.dyn_ref())
        .is_some_and(|node| element.compare_document_position(node) & web_sys::Node::DOCUMENT_POSITION_FOLLOWING != 0)
}
