//! The panel with an answer: how sure it is, what else it could be, and what the visitor says about it.
//!
//! Every button is a submit button of a plain form, so each works with scripts off; alive, its click tells the API
//! instead and the page stays where it is.

use gourmetgram_api::{ClassProbability, Prediction, Role, StorageState, Viewer};
use leptos::{either::Either, ev, html, prelude::*, task::spawn_local};

use super::welcome::PostedTrouble;
use crate::{
    album::Photo,
    components::{Erase, FlagReasons, Icon, Moment, TroubleNotice},
    forms,
    judgement::Judgement,
    offline,
    trouble::Trouble,
    visit::Visit,
    wording::{certainty, flag_reason, percent, sent_smaller},
};

/// Tells the server what the visitor says, and shows it once it is recorded, or kept on the device until it can be.
///
/// What people say who are signed in is not kept: a device may have other users after them.
#[derive(Clone, Copy)]
struct Judge {
    tell: Callback<Judgement>,
    busy: RwSignal<bool>,
    trouble: RwSignal<Option<(Judgement, Trouble)>>,
}

impl Judge {
    fn new(photo: Photo, visit: Visit) -> Self {
        let busy = RwSignal::new(false);
        let trouble = RwSignal::new(None);
        let may_wait = expect_context::<Viewer>().role == Role::Visitor;
        let tell = Callback::new(move |judgement: Judgement| {
            if busy.get_untracked() {
                return;
            }
            busy.set(true);
            trouble.set(None);
            let photo = photo.clone();
            spawn_local(async move {
                // Never before what was said earlier.
                let outcome = match may_wait && offline::waits(photo.id).await {
                    true => Err(Trouble::Unreachable),
                    false => judgement.send(photo.id).await,
                };
                match outcome {
                    Ok(()) => {
                        photo.prediction.update(|prediction| judgement.apply(prediction));
                        visit.confirm(judgement.confirmation());
                    }
                    Err(passing) if may_wait && passing.is_passing() && offline::judge(photo.id, &judgement).await => {
                        photo.prediction.update(|prediction| judgement.apply(prediction));
                        visit.confirm("Noted on this device. It is sent once there is reception.");
                    }
                    Err(refused) => {
                        // The visitor may have gone on to another photo; then this one's panel is gone.
                        trouble.try_set(Some((judgement, refused)));
                    }
                }
                busy.try_set(false);
            });
        });
        Self { tell, busy, trouble }
    }

    /// What a submit button does where scripts run.
    fn on_click(self, judgement: impl Fn() -> Judgement + 'static) -> impl Fn(ev::MouseEvent) + 'static {
        move |event| {
            event.prevent_default();
            self.tell.run(judgement());
        }
    }
}

/// The panel beside a photo.
#[component]
pub(super) fn Answer(photo: Photo) -> impl IntoView {
    let visit = expect_context::<Visit>();
    let judge = Judge::new(photo.clone(), visit);
    let known = photo.prediction.get_untracked();
    view! {
        <section class="panel answer" aria-label="The answer" aria-busy=move || judge.busy.get().then_some("true")>
            <PostedTrouble/>
            <Certainty prediction=known.clone()/>
            {known.device.as_ref().filter(|device| device.predicted_class != known.predicted_class).map(|device| view! {
                <p class="answer__device">
                    "Your device took it for " <strong>{device.predicted_class.clone()}</strong>
                    {format!(" ({}). The server's answer counts.", percent(device.confidence.get()))}
                </p>
            })}
            <Classes photo=photo.clone() probabilities=known.probabilities.clone() judge/>
            <Flags photo=photo.clone() judge/>
            {move || judge.trouble.get().map(|(judgement, trouble)| view! {
                <TroubleNotice trouble retry=Callback::new(move |()| judge.tell.run(judgement.clone()))/>
            })}
            <footer class="facts">
                <p class="facts__line">
                    <Moment at=known.created_at/>
                    <span>"model " {known.model_version.clone()}</span>
                    {sent_smaller(&known).map(|it| view! { <span>{it}</span> })}
                    <span>
                        {match known.storage {
                            StorageState::Spooled => "saved, on its way to storage",
                            StorageState::Stored => "stored",
                        }}
                    </span>
                </p>
                <Erase photo is_shown=true/>
            </footer>
        </section>
    }
}

/// How sure the model is: in words, as a number, and on a scale.
#[component]
fn Certainty(prediction: Prediction) -> impl IntoView {
    let needle = format!("{:.1}%", prediction.confidence.get() * 100.0);
    let ticks = (0..=20_u8).map(|tick| {
        let x = format!("{}%", tick * 5);
        let length = if tick % 10 == 0 {
            "14"
        } else if tick % 2 == 0 {
            "10"
        } else {
            "6"
        };
        view! { <line class="scale__tick" x1=x.clone() x2=x y1="0" y2=length/> }
    });
    view! {
        <div class="certainty">
            <p class="certainty__line">
                <span class="certainty__words">{certainty(prediction.confidence)}</span>
                <span class="certainty__number">{percent(prediction.confidence.get())}</span>
            </p>
            <svg class="scale" aria-hidden="true" focusable="false">
                {ticks.collect_view()}
                <line class="scale__reading" x1="0" x2=needle.clone() y1="1" y2="1"/>
                <line class="scale__needle" x1=needle.clone() x2=needle y1="0" y2="22"/>
            </svg>
        </div>
    }
}

/// Every class with its probability; one tap says it is that one.
#[component]
fn Classes(photo: Photo, probabilities: Vec<ClassProbability>, judge: Judge) -> impl IntoView {
    let id = photo.id;
    let prediction = photo.prediction;
    let group = NodeRef::<html::Form>::new();
    let answer = prediction.with_untracked(|prediction| prediction.predicted_class.clone());
    let mut classes = probabilities;
    classes.sort_by(|a, b| b.probability.total_cmp(&a.probability));

    let corrected = Memo::new(move |_| prediction.with(|prediction| prediction.corrected_class.clone()));
    let rows = classes.into_iter().map(|ClassProbability { label, probability }| {
        let inside = {
            let label = label.clone();
            move || view! {
                <span class="class__label">{label}</span>
                <svg class="class__bar" aria-hidden="true" focusable="false">
                    <rect class="class__track" width="100%" height="100%" rx="3"/>
                    <rect class="class__fill" width=format!("{:.1}%", probability * 100.0) height="100%" rx="3"/>
                </svg>
                <span class="class__percent">{percent(probability)}</span>
            }
        };
        if label == answer {
            return Either::Left(view! {
                <li><div class="class class--answer">{inside()}<span class="visually-hidden">"Our answer"</span></div></li>
            });
        }
        let pressed = {
            let label = label.clone();
            Memo::new(move |_| corrected.with(|corrected| corrected.as_ref() == Some(&label)))
        };
        let toggle = {
            let label = label.clone();
            judge.on_click(move || match pressed.get_untracked() {
                true => Judgement::Uncorrect,
                false => Judgement::Correct(label.clone()),
            })
        };
        Either::Right(view! {
            <li>
                <button
                    class="class class--choice"
                    type="submit"
                    name="label"
                    value=label
                    aria-pressed=move || pressed.get().to_string()
                    formaction=move || pressed.get().then(|| forms::uncorrect(id))
                    on:click=toggle
                >
                    {inside()}
                </button>
            </li>
        })
    });

    let undo = move |event: ev::MouseEvent| {
        event.prevent_default();
        // The button goes with what it takes back; the focus stays near.
        focus(group);
        judge.tell.run(Judgement::Uncorrect);
    };
    view! {
        <form
            class="classes"
            method="post"
            action=forms::correct(id)
            aria-labelledby="classes-title"
            tabindex="-1"
            node_ref=group
        >
            <div class="asks">
                <h2 class="asks__title" id="classes-title">"Is it something else?"</h2>
                {move || match corrected.get() {
                    None => Either::Left(view! { <p class="asks__hint">"Tap what it really is."</p> }),
                    Some(label) => Either::Right(view! {
                        <p class="asks__said">
                            {Icon::Check.view()}
                            <span>"You say: " <strong>{label}</strong></span>
                            <button class="undo" type="submit" formaction=forms::uncorrect(id) on:click=undo>
                                {Icon::Undo.view()}
                                "Undo"<span class="visually-hidden">" your label"</span>
                            </button>
                        </p>
                    }),
                }}
            </div>
            <ul class="classes__list">{rows.collect_view()}</ul>
        </form>
    }
}

/// Flags: what is wrong with the photo or its answer.
#[component]
fn Flags(photo: Photo, judge: Judge) -> impl IntoView {
    let id = photo.id;
    let prediction = photo.prediction;
    let group = NodeRef::<html::Form>::new();
    let flag = Memo::new(move |_| prediction.with(|prediction| prediction.flag));
    let undo = move |event: ev::MouseEvent| {
        event.prevent_default();
        focus(group);
        judge.tell.run(Judgement::Unflag);
    };
    view! {
        <form
            class="flags"
            method="post"
            action=forms::flag(id)
            aria-labelledby="flags-title"
            tabindex="-1"
            node_ref=group
        >
            <div class="asks">
                <h2 class="asks__title" id="flags-title">"Anything wrong?"</h2>
                {move || match flag.get() {
                    None => Either::Left(view! { <p class="asks__hint">"A flag puts it on our list to check."</p> }),
                    Some(reason) => Either::Right(view! {
                        <p class="asks__said">
                            {Icon::Flag.view()}
                            <span>"Flagged: " <strong>{flag_reason(reason).to_ascii_lowercase()}</strong></span>
                            <button class="undo" type="submit" formaction=forms::unflag(id) on:click=undo>
                                {Icon::Undo.view()}
                                "Undo"<span class="visually-hidden">" the flag"</span>
                            </button>
                        </p>
                    }),
                }}
            </div>
            <div class="flags__reasons"><FlagReasons flag unflag=forms::unflag(id) tell=judge.tell/></div>
        </form>
    }
}

fn focus(group: NodeRef<html::Form>) {
    if let Some(group) = group.get_untracked() {
        // An element that cannot be focused is no reason to stop.
        let _ = group.focus();
    }
}
