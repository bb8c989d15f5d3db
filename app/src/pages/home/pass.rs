//! The pass: the strip with the photos on their way, where several are. It lies over the page and moves nothing.

use leptos::{
    either::{Either, EitherOf3},
    prelude::*,
};

use super::Asked;
use crate::{
    components::Icon,
    forms,
    line::Tally,
    upload::{Phase, Upload},
    visit::Visit,
    wording::count,
};

/// The strip, while there is something to be seen on it.
#[component]
pub(super) fn Pass(asked: Memo<Asked>) -> impl IntoView {
    let visit = expect_context::<Visit>();
    let line = visit.line;
    let is_seen = Memo::new(move |_| line.is_seen());
    let tally = Memo::new(move |_| line.tally());
    // What is read out: the beginning and the end, not every step between.
    let milestone = Memo::new(move |_| match tally.get() {
        Tally { total: 0 | 1, .. } => String::new(),
        tally if tally.is_over() => in_words(tally),
        Tally { total, .. } => format!("{total} photos are on their way."),
    });
    view! {
        <p class="visually-hidden" role="status">{milestone}</p>
        {move || is_seen.get().then(|| view! {
            <section class="pass" aria-label="Photos on their way">
                <div class="pass__head">
                    <p class="pass__tally">{move || in_words(tally.get())}</p>
                    {move || match tally.get().is_over() {
                        true => Either::Left(view! {
                            <button type="button" class="button button--small" on:click=move |_| visit.close_line()>"Close"</button>
                        }),
                        false => Either::Right(view! {
                            <button type="button" class="button button--small" on:click=move |_| visit.cancel_the_rest()>
                                "Cancel the rest"
                            </button>
                        }),
                    }}
                </div>
                <ul class="pass__rail">
                    <For each=move || line.uploads() key=|upload| upload.id let:upload>
                        <Ticket upload asked/>
                    </For>
                </ul>
            </section>
        })}
    }
}

fn in_words(tally: Tally) -> String {
    let Tally { total, answered, failed } = tally;
    let answered = format!("{answered} of {} answered", count(total, "photo", "photos"));
    match failed {
        0 => answered,
        failed => format!("{answered}, {failed} not"),
    }
}

/// One photo: its picture, its state in a word, and what can be done with it.
#[component]
fn Ticket(upload: Upload, asked: Memo<Asked>) -> impl IntoView {
    let visit = expect_context::<Visit>();
    let id = upload.id;
    let is_on_stage = {
        let upload = upload.clone();
        Memo::new(move |_| match visit.line.on_stage.get() {
            Some(staged) => staged == upload,
            None => asked.get() == Asked::Photo(id),
        })
    };
    // What the ticket looks like, without the numbers that change all the time.
    let state = {
        let phase = upload.phase.clone();
        Memo::new(move |_| phase.with(State::of))
    };
    let text = {
        let phase = upload.phase.clone();
        move || {
            phase.with(|phase| match phase {
                Phase::Queued => "waits".to_owned(),
                Phase::Sending { percent } => format!("{percent}%"),
                Phase::Answering => "looking".to_owned(),
                Phase::Waiting { seconds, .. } => format!("again in {seconds} s"),
                Phase::Offline => "offline".to_owned(),
                Phase::Failed(_) => "did not work".to_owned(),
                Phase::Answered { label } => label.clone(),
            })
        }
    };
    let inside = {
        let (upload, text) = (upload.clone(), text.clone());
        move || picture(&upload, state.get(), text.clone())
    };
    let ask = {
        let upload = upload.clone();
        move |_| visit.ask_for(upload.clone())
    };
    let name = upload.name.clone();
    let class = move || {
        let staged = if is_on_stage.get() { " ticket--on-stage" } else { "" };
        format!("ticket ticket--{}{staged}", state.get().class())
    };
    view! {
        <li class=class>
            {move || match state.get() {
                State::Answered => Either::Left(view! {
                    <a class="ticket__open" href=forms::page_of(id) on:click=move |_| visit.line.on_stage.set(None)>
                        {inside()}
                    </a>
                }),
                _ => Either::Right(view! {
                    <button type="button" class="ticket__open" on:click=ask.clone()>
                        <span class="visually-hidden">{format!("Show {name}: ")}</span>
                        {inside()}
                    </button>
                }),
            }}
            <div class="ticket__act">
                {move || (state.get() != State::Answered).then(|| {
                    let (cancelled, again) = (upload.clone(), upload.clone());
                    let may_pass = upload.phase.with(|phase| match phase {
                        Phase::Failed(trouble) | Phase::Waiting { trouble, .. } => trouble.may_pass(),
                        _ => false,
                    });
                    view! {
                        <button
                            type="button"
                            class="ticket__button"
                            aria-label=format!("Cancel {}", upload.name)
                            on:click=move |_| visit.cancel(&cancelled)
                        >
                            {Icon::Cross.view()}
                        </button>
                        {may_pass.then(|| view! {
                            <button
                                type="button"
                                class="ticket__button"
                                aria-label=format!("Try {} again now", upload.name)
                                on:click=move |_| visit.retry(&again)
                            >
                                {Icon::Again.view()}
                            </button>
                        })}
                    }
                })}
            </div>
        </li>
    }
}

/// What a ticket looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Queued,
    Moving,
    Waiting,
    Offline,
    Failed,
    Answered,
}

impl State {
    fn of(phase: &Phase) -> Self {
        match phase {
            Phase::Queued => Self::Queued,
            Phase::Sending { .. } | Phase::Answering => Self::Moving,
            Phase::Waiting { .. } => Self::Waiting,
            Phase::Offline => Self::Offline,
            Phase::Failed(_) => Self::Failed,
            Phase::Answered { .. } => Self::Answered,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Moving => "moving",
            Self::Waiting => "waiting",
            Self::Offline => "offline",
            Self::Failed => "failed",
            Self::Answered => "answered",
        }
    }
}

fn picture<T>(upload: &Upload, state: State, text: T) -> impl IntoView + use<T>
where
    T: Fn() -> String + Send + 'static,
{
    let unseen = RwSignal::new(false);
    let phase = upload.phase.clone();
    let sent = move || {
        phase.with(|phase| match phase {
            Phase::Sending { percent } => percent.to_string(),
            _ => "100".to_owned(),
        })
    };
    let mark = |icon: Icon| view! { <span class="ticket__mark">{icon.view()}</span> };
    view! {
        <span class="ticket__picture">
            <img
                class="ticket__image"
                class:ticket__image--unseen=unseen
                src=upload.preview.clone()
                alt=""
                width="64"
                height="64"
                loading="lazy"
                decoding="async"
                on:error=move |_| unseen.set(true)
            />
            {match state {
                State::Queued | State::Waiting => EitherOf3::A(mark(Icon::Clock)),
                State::Offline => EitherOf3::A(mark(Icon::Offline)),
                State::Failed => EitherOf3::A(mark(Icon::Warning)),
                State::Moving => EitherOf3::B(view! {
                    <progress class="progress ticket__sent" max="100" value=sent aria-hidden="true"></progress>
                }),
                State::Answered => EitherOf3::C(()),
            }}
        </span>
        <span class="ticket__state">{text}</span>
    }
}
