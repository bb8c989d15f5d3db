//! The question where files were handed over that cannot be taken as they are.

use leptos::{ev, html, prelude::*};

use crate::{
    line::LONGEST,
    visit::{TurnedAway, Visit},
};

/// A dialog over the page: Escape and its quiet button close it, and nothing is sent.
#[component]
pub(super) fn TurnedAwayDialog() -> impl IntoView {
    let visit = expect_context::<Visit>();
    let dialog = NodeRef::<html::Dialog>::new();
    let reason = visit.turned_away;
    Effect::new(move |_| {
        if let (Some(_), Some(dialog)) = (reason.get(), dialog.get()) {
            // It is open already where files are dropped on an open dialog; then only its words change.
            let _ = dialog.show_modal();
        }
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let forget = move |_: ev::Event| reason.set(None);
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="turned-away" on:close=forget>
            {move || reason.get().map(|reason| {
                let (title, text, fitting) = words(&reason, visit);
                view! {
                    <h2 class="dialog__title" id="turned-away">{title}</h2>
                    <p>{text}</p>
                    <div class="dialog__actions">
                        {fitting.map(|(files, number)| view! {
                            <button
                                type="button"
                                class="button button--primary"
                                on:click=move |_| {
                                    let files = files.get_value();
                                    close();
                                    visit.send(files);
                                }
                            >
                                {format!("Send the first {number}")}
                            </button>
                        })}
                        <button type="button" class="button" on:click=move |_| close()>
                            {if fitting.is_some() { "Send none" } else { "All right" }}
                        </button>
                    </div>
                }
            })}
        </dialog>
    }
}

type Fitting = (StoredValue<Vec<web_sys::File>, LocalStorage>, usize);

fn words(reason: &TurnedAway, visit: Visit) -> (String, String, Option<Fitting>) {
    match reason {
        TurnedAway::Folder => (
            "That is a folder.".to_owned(),
            format!("Open it, and choose the photos you want to send: up to {LONGEST} at once."),
            None,
        ),
        TurnedAway::TooMany { given, fitting } => {
            let room = fitting.with_value(Vec::len);
            let on_their_way = LONGEST - visit.line.room();
            let text = if room == 0 {
                format!("{LONGEST} photos are on their way already. Send more once some of them are answered.")
            } else if on_their_way == 0 {
                format!("Up to {LONGEST} photos can be on their way at once. Nothing is sent so far.")
            } else {
                format!("Up to {LONGEST} photos can be on their way at once, and {on_their_way} are already.")
            };
            (format!("{given} photos are too many at once."), text, (room > 0).then_some((*fitting, room)))
        }
    }
}
