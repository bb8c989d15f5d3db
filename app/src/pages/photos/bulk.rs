//! Flags for many photos at once, and their undo.

use gourmetgram_api::{FlagReason, FlagResult, FlagsAnswer, FlagsRequest, MAX_FLAGS, WantedFlag};
use leptos::{ev, html, prelude::*, task::spawn_local};

use super::list::List;
use crate::{
    client,
    components::{Icon, Notice, TroubleNotice},
    trouble::Trouble,
    wording::{self, count},
};

/// What is done with the ticked photos. Copies are handles to the same state.
#[derive(Clone, Copy)]
pub(super) struct Bulk {
    list: List,
    busy: RwSignal<bool>,
    trouble: RwSignal<Option<(FlagsRequest, Trouble)>>,
    /// What was done last, in words, and how to undo it.
    done: RwSignal<Option<(String, Option<FlagsRequest>)>>,
}

impl Bulk {
    pub(super) fn new(list: List) -> Self {
        Self { list, busy: RwSignal::new(false), trouble: RwSignal::new(None), done: RwSignal::new(None) }
    }

    fn flag(self, reason: FlagReason) {
        let flags = self.list.selection.ids().into_iter().map(|id| WantedFlag { id, reason: Some(reason) }).collect();
        self.send(FlagsRequest { flags }, false);
    }

    fn send(self, request: FlagsRequest, is_undo: bool) {
        if self.busy.get_untracked() || request.flags.is_empty() {
            return;
        }
        self.busy.set(true);
        self.trouble.set(None);
        self.done.set(None);
        spawn_local(async move {
            match client::set_flags(&request).await {
                Ok(answer) => {
                    for (wanted, outcome) in request.flags.iter().zip(&answer.outcomes) {
                        if matches!(outcome.result, FlagResult::Changed | FlagResult::Unchanged) {
                            self.list.change(wanted.id, |card| card.flag = wanted.reason);
                        }
                    }
                    let undo = Some(answer.undo()).filter(|undo| !is_undo && !undo.flags.is_empty());
                    self.list.selection.clear();
                    let text =
                        if is_undo { "Taken back. The flags are as they were.".to_owned() } else { said(&answer) };
                    self.done.try_set(Some((text, undo)));
                }
                Err(refused) => {
                    self.trouble.try_set(Some((request, refused)));
                }
            }
            self.busy.try_set(false);
        });
    }
}

/// What became of the photos, in words.
fn said(answer: &FlagsAnswer) -> String {
    let number = |result: FlagResult| answer.outcomes.iter().filter(|outcome| outcome.result == result).count();
    let mut said = format!("{} flagged for review.", count(answer.changed(), "photo", "photos"));
    if number(FlagResult::Unchanged) > 0 {
        said.push_str(&format!(" {} had that flag already.", number(FlagResult::Unchanged)));
    }
    let gone = number(FlagResult::Erased) + number(FlagResult::NotFound);
    if gone > 0 {
        said.push_str(&format!(" {} erased meanwhile.", count(gone, "was", "were")));
    }
    said
}

/// The bar with what can be done. Part of the form around the list, so that it works with scripts off; alive, it is
/// shown while photos are ticked.
#[component]
pub(super) fn BulkBar() -> impl IntoView {
    let bulk = expect_context::<Bulk>();
    let selection = bulk.list.selection;
    let reason = NodeRef::<html::Select>::new();
    let flag = move |event: ev::MouseEvent| {
        event.prevent_default();
        let Some(reason) = reason.get_untracked() else { return };
        if let Ok(reason) = reason.value().parse() {
            bulk.flag(reason);
        }
    };
    let reasons = FlagReason::ALL.map(|reason| {
        view! { <option value=reason.as_str()>{wording::flag_reason(reason)}</option> }
    });
    view! {
        <PostedAnswer/>
        <div class="bulk" class:bulk--idle=move || selection.number() == 0 role="group" aria-label="Ticked photos">
            <p class="bulk__number" role="status">
                {move || match selection.number() {
                    0 => "Tick photos to flag them.".to_owned(),
                    number if number >= MAX_FLAGS => format!("{number} ticked: that is the most at once"),
                    number => format!("{number} ticked"),
                }}
            </p>
            <label class="bulk__reason">
                <span class="visually-hidden">"Reason"</span>
                <select class="select" name="reason" node_ref=reason>{reasons.into_iter().collect_view()}</select>
            </label>
            <button class="button button--primary bulk__flag" type="submit" disabled=move || bulk.busy.get() on:click=flag>
                {Icon::Flag.view()}
                "Flag"
            </button>
            <button
                class="button bulk__clear"
                type="reset"
                on:click=move |event| {
                    event.prevent_default();
                    selection.clear();
                }
            >
                "Untick all"
            </button>
        </div>
        {move || bulk.trouble.get().map(|(request, trouble)| view! {
            <TroubleNotice trouble retry=Callback::new(move |()| bulk.send(request.clone(), false))/>
        })}
        <div class="done" role="status" aria-live="polite">
            {move || bulk.done.get().map(|(text, undo)| view! {
                <p class="done__text">
                    {Icon::Check.view()}
                    <span>{text}</span>
                    {undo.map(|undo| view! {
                        <button class="done__undo" type="button" on:click=move |_| bulk.send(undo.clone(), true)>
                            {Icon::Undo.view()}
                            "Undo"
                        </button>
                    })}
                    <button class="done__undo" type="button" on:click=move |_| bulk.done.set(None)>"Close"</button>
                </p>
            })}
        </div>
    }
}

/// What a form has just done, where scripts are off: said on the page that answers it, with a form that undoes it.
#[component]
fn PostedAnswer() -> impl IntoView {
    #[cfg(feature = "ssr")]
    let (answer, problem) = (
        use_context::<crate::backend::PostedFlags>().map(|posted| posted.0),
        use_context::<crate::backend::PostedProblem>().map(|posted| Trouble::from(posted.0)),
    );
    #[cfg(not(feature = "ssr"))]
    let (answer, problem) = (None::<FlagsAnswer>, None::<Trouble>);
    view! {
        {problem.map(|trouble| view! { <TroubleNotice trouble/> })}
        {answer.map(|answer| {
            let undo = answer.undo().flags;
            let can_undo = !undo.is_empty();
            let was = undo.into_iter().map(|flag| {
                let was = format!("{}:{}", flag.id, flag.reason.map(FlagReason::as_str).unwrap_or_default());
                // A form cannot stand in a form: this one stands elsewhere, and its fields name it.
                view! { <input type="hidden" name="was" value=was form="undo-flags"/> }
            });
            view! {
                <Notice title="Done." text=said(&answer)/>
                {was.collect_view()}
                {can_undo.then(|| view! {
                    <button class="undo" type="submit" form="undo-flags">{Icon::Undo.view()} "Undo the flags"</button>
                })}
            }
        })}
    }
}
