//! One photo after another, with a button and a key for each answer.

use std::collections::HashSet;

use gourmetgram_api::{ReviewCampaign, ReviewTask, Seen, ShownAnswer};
use leptos::{ev, html, prelude::*};
use uuid::Uuid;
use wasm_bindgen::JsCast;

use super::{
    session::{AHEAD, Session},
    states::Finished,
    tools::{Head, Keys, LastStep, NoPhoto, PostedTrouble, Troubles},
};
use crate::{
    components::Icon,
    forms,
    review::{ANSWER, Choice, Last, Press, SKIP, UNDO, choices, name_of, press, write_answer},
    wording::percent,
};

/// The longer side of the photos, in pixels.
const SIDE: u16 = 1024;
/// Half of the time for which photos are kept for who looks at them; asking again renews it.
const RENEW_EVERY: std::time::Duration = std::time::Duration::from_secs(240);
/// A photo that does not come is asked for so often.
const TRIES: u32 = 4;

/// Labelling. `last` is the step that led here with scripts off.
#[component]
pub(super) fn Desk(
    campaign: ReviewCampaign,
    classes: Vec<String>,
    tasks: Vec<ReviewTask>,
    last: Option<Last>,
    is_one_of_several: bool,
) -> impl IntoView {
    let (id, is_blind) = (campaign.id, campaign.blind);
    let session = Session::new(campaign.clone(), tasks);
    let seen = Photos { ready: RwSignal::new(HashSet::new()), broken: RwSignal::new(HashSet::new()) };
    let choices = StoredValue::new(choices(&classes));
    let keys_answer = RwSignal::new(true);
    let help = NodeRef::<html::Dialog>::new();

    let act = Callback::new(move |pressed: Press| match pressed {
        // Nobody can say what a photo shows before they have seen it.
        Press::Answer(answer) if untrack(|| session.current()).is_some_and(|id| seen.has_come(id)) => {
            session.say(answer)
        }
        Press::Answer(_) => {}
        Press::Skip => session.skip(),
        Press::Undo => session.undo(),
        Press::Help => {
            if let Some(dialog) = help.get_untracked() {
                let _ = dialog.show_modal();
            }
        }
    });
    Effect::new(move |_| come_alive(session, choices, keys_answer, act));

    let is_over =
        Memo::new(move |_| session.is_dry.get() && session.unsent() == 0 && session.tasks.with(Vec::is_empty));
    let is_over_at_first = session.tasks.with_untracked(Vec::is_empty);
    if is_over_at_first {
        session.is_dry.set(true);
    }
    view! {
        <div class="review" class:review--shown=!is_blind>
            <Head campaign session is_one_of_several/>
            <PostedTrouble/>
            <Show
                when=move || !is_over.get()
                fallback=move || view! {
                    <Finished
                        progress=Signal::derive(move || ReviewCampaign {
                            labelled: session.labelled(),
                            ..session.progress.get()
                        })
                        answers=Signal::derive(move || session.answers())
                        is_one_of_several
                    />
                }
            >
                <Stage session seen act/>
                <Answers campaign=id session choices act/>
            </Show>
            <div class="review__tools">
                <LastStep session/>
                <Undo campaign=id session last act/>
                <button type="button" class="undo review__help" aria-haspopup="dialog" on:click=move |_| act.run(Press::Help)>
                    "Keys" <kbd class="key" aria-hidden="true">"?"</kbd>
                </button>
            </div>
            <Keys choices keys_answer dialog=help/>
        </div>
    }
}

/// Which photos have come. Copies are handles.
#[derive(Clone, Copy)]
struct Photos {
    ready: RwSignal<HashSet<Uuid>>,
    broken: RwSignal<HashSet<Uuid>>,
}

impl Photos {
    fn has_come(self, id: Uuid) -> bool {
        self.ready.with_untracked(|ready| ready.contains(&id))
    }

    fn came(self, id: Uuid) {
        self.ready.update(|ready| {
            ready.insert(id);
        });
        self.broken.update(|broken| {
            broken.remove(&id);
        });
    }
}

/// What the page does by itself once scripts run: listens to keys, fetches ahead, keeps what it has, and asks before it
/// is left with something unsent.
fn come_alive(session: Session, choices: StoredValue<Vec<Choice>>, keys_answer: RwSignal<bool>, act: Callback<Press>) {
    session.look();
    session.fetch(false);
    let keys = window_event_listener(ev::keydown, move |event| {
        let is_elsewhere =
            event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()).is_some_and(|target| {
                target.matches("input:not([type=checkbox]), select, textarea, dialog, dialog *").unwrap_or(false)
            });
        let is_chord = event.alt_key() || event.ctrl_key() || event.meta_key();
        // A key that is held down would answer photos nobody has looked at.
        if is_elsewhere || is_chord || event.repeat() || !keys_answer.get_untracked() {
            return;
        }
        if let Some(pressed) = choices.with_value(|choices| press(&event.key(), choices)) {
            event.prevent_default();
            act.run(pressed);
        }
    });
    let online = window_event_listener(ev::online, move |_| session.go_on());
    let back = window_event_listener(ev::visibilitychange, move |_| {
        if !document().hidden() {
            session.look();
            session.fetch(true);
        }
    });
    let leaving = window_event_listener(ev::beforeunload, move |event| {
        if untrack(move || session.unsent()) > 0 {
            // The browser asks, in its own words.
            event.prevent_default();
            // For browsers that knew this first.
            event.set_return_value("unsent");
        }
    });
    let renewing = set_interval_with_handle(
        move || {
            if !document().hidden() && !session.tasks.with_untracked(Vec::is_empty) {
                session.fetch(true);
            }
        },
        RENEW_EVERY,
    );
    on_cleanup(move || {
        keys.remove();
        online.remove();
        back.remove();
        leaving.remove();
        if let Ok(renewing) = renewing {
            renewing.clear();
        }
    });
}

/// The photo that is looked at, with the next ones ready beneath it. Its size never changes.
#[component]
fn Stage(session: Session, seen: Photos, act: Callback<Press>) -> impl IntoView {
    let near = move || session.tasks.with(|tasks| tasks.iter().take(AHEAD + 1).cloned().collect::<Vec<_>>());
    let is_broken = move || session.current().is_some_and(|id| seen.broken.with(|broken| broken.contains(&id)));
    let shown = move || session.tasks.with(|tasks| tasks.first().and_then(|task| task.shown.clone()));
    view! {
        <div class="review__picture">
            <div class="review__stage">
                <For each=near key=|task| task.id let(task)>
                    <Photo task session seen/>
                </For>
                {move || session.current().is_none().then(|| view! { <NoPhoto session/> })}
                {move || is_broken().then(|| view! {
                    <div class="review__broken" role="alert">
                        <p>"This photo does not come."</p>
                        <button type="button" class="button button--small" on:click=move |_| act.run(Press::Skip)>"Pass it over"</button>
                    </div>
                })}
                <Troubles session/>
            </div>
            {move || shown().map(|answer| view! { <Shown answer/> })}
        </div>
    }
}

/// One photo; only the one that is looked at is seen.
#[component]
fn Photo(task: ReviewTask, session: Session, seen: Photos) -> impl IntoView {
    let id = task.id;
    let image = NodeRef::<html::Img>::new();
    let address = forms::task_image(id, SIDE);
    let is_current = Memo::new(move |_| session.current() == Some(id));
    // It may have come before the page was alive.
    Effect::new({
        let address = address.clone();
        move |_| match image.get() {
            Some(image) if image.complete() && image.natural_width() > 0 => seen.came(id),
            // It did not come, and nobody listened: asked for again, it is heard.
            Some(image) if image.complete() => image.set_src(&address),
            _ => {}
        }
    });
    let came = move |_| {
        seen.came(id);
        if let Some(image) = image.get_untracked() {
            // Now, and not when it is its turn.
            let _ = image.decode();
        }
    };
    let tries = StoredValue::new(0_u32);
    let failed = {
        let address = address.clone();
        move |_| {
            tries.update_value(|tries| *tries += 1);
            if tries.get_value() >= TRIES {
                seen.broken.update(|broken| {
                    broken.insert(id);
                });
                return;
            }
            let address = address.clone();
            let again = move || {
                if let Some(image) = image.try_get_untracked().flatten() {
                    image.set_src(&address);
                }
            };
            set_timeout(again, std::time::Duration::from_secs(u64::from(tries.get_value())));
        }
    };
    view! {
        <img
            node_ref=image
            class="review__photo"
            class:review__photo--current=is_current
            src=address
            alt=move || if is_current.get() { "The photo to label" } else { "" }
            width=task.width
            height=task.height
            decoding="async"
            on:load=came
            on:error=failed
        />
    }
}

/// What the model answered, and what a visitor says, where annotators may know it.
#[component]
fn Shown(answer: ShownAnswer) -> impl IntoView {
    let ShownAnswer { predicted_class, confidence, corrected_class } = answer;
    view! {
        <p class="review__shown">
            <span class="visually-hidden">"The model says "</span>
            <span class="plaque review__plaque">{predicted_class}</span>
            <span class="review__sure">{percent(confidence.get())}</span>
            {corrected_class.map(|label| view! {
                <span class="badge badge--corrected">{Icon::Pencil.view()} <span>"A visitor says " {label}</span></span>
            })}
        </p>
    }
}

/// The answers: one form, a button each.
#[component]
fn Answers(campaign: Uuid, session: Session, choices: StoredValue<Vec<Choice>>, act: Callback<Press>) -> impl IntoView {
    let buttons = choices.with_value(Clone::clone).into_iter().map(|Choice { seen, key }| {
        let is_class = seen.label().is_some();
        let (value, name) = (write_answer(&seen), name_of(&seen));
        let answer = answering(act, seen);
        view! {
            <button
                class="reply"
                class:reply--other=!is_class
                type="submit"
                name="answer"
                value=value
                aria-keyshortcuts=key.map(|key| key.to_uppercase().to_string())
                on:click=answer
            >
                {key.map(|key| view! { <kbd class="key" aria-hidden="true">{key.to_uppercase().to_string()}</kbd> })}
                <span class="reply__name">{name}</span>
            </button>
        }
    });
    let skip = move |event: ev::MouseEvent| {
        event.prevent_default();
        act.run(Press::Skip);
    };
    view! {
        <form class="review__answers" method="post" action=ANSWER aria-label="What does the photo show?">
            <input type="hidden" name="campaign" value=campaign.to_string()/>
            <input
                type="hidden"
                name="task"
                value=session.tasks.with_untracked(|tasks| tasks.first().map(|task| task.id.to_string()))
            />
            {buttons.collect_view()}
            <button
                class="reply reply--skip"
                type="submit"
                formaction=SKIP
                aria-keyshortcuts="S"
                on:click=skip
            >
                <kbd class="key" aria-hidden="true">"S"</kbd>
                <span class="reply__name">"Skip"</span>
            </button>
        </form>
    }
}

fn answering(act: Callback<Press>, seen: Seen) -> impl Fn(ev::MouseEvent) + 'static {
    move |event| {
        event.prevent_default();
        act.run(Press::Answer(seen.clone()));
    }
}

/// Takes the last step back: of this session, or with scripts off the one that led here.
#[component]
fn Undo(campaign: Uuid, session: Session, last: Option<Last>, act: Callback<Press>) -> impl IntoView {
    let has_past = move || session.past.with(|past| !past.is_empty());
    let undo = move |event: ev::MouseEvent| {
        if untrack(has_past) {
            event.prevent_default();
            act.run(Press::Undo);
        }
    };
    view! {
        <form method="post" action=UNDO>
            <input type="hidden" name="campaign" value=campaign.to_string()/>
            {last.map(|last| match last {
                Last::Said(id) => view! { <input type="hidden" name="said" value=id.to_string()/> },
                Last::Skipped(id) => view! { <input type="hidden" name="skipped" value=id.to_string()/> },
            })}
            <button
                class="undo"
                type="submit"
                aria-keyshortcuts="U"
                disabled=move || !has_past() && last.is_none()
                on:click=undo
            >
                {Icon::Undo.view()}
                "Undo"
                <kbd class="key" aria-hidden="true">"U"</kbd>
            </button>
        </form>
    }
}
