//! Around the photo: how far it is, what was done last, what is not saved yet, and the keys.

use gourmetgram_api::{ProblemKind, ReviewCampaign};
use leptos::{
    either::{Either, EitherOf3},
    html,
    prelude::*,
};

use super::{
    session::{Done, Sending, Session},
    states::Kind,
};
use crate::{
    components::Icon,
    review::{Choice, REVIEW, name_of, pace},
    trouble::Trouble,
    wording::count,
};

/// The campaign's name, how far it is, and the annotator's share.
#[component]
pub(super) fn Head(campaign: ReviewCampaign, session: Session, is_one_of_several: bool) -> impl IntoView {
    let photos = move || session.progress.with(|progress| progress.photos);
    let pace = move || pace(session.answers(), session.spent.get());
    view! {
        <header class="review__head">
            <div class="review__names">
                <h1 class="review__title">{campaign.name}</h1>
                <Kind blind=campaign.blind/>
                {is_one_of_several.then(|| view! { <a class="review__others" href=REVIEW rel="external">"Other campaigns"</a> })}
            </div>
            <progress
                class="progress review__bar"
                max=move || photos().max(1)
                value=move || session.labelled()
                aria-label="Photos that have their labels"
            ></progress>
            <p class="review__numbers">
                <span>{move || format!("{} of {}", session.labelled(), photos())}</span>
                <span>{move || format!("{} by you now", session.answers())}</span>
                <span class="review__pace">{move || pace().map(|pace| format!("{pace} a minute"))}</span>
            </p>
        </header>
    }
}

/// What was done last, or what is not saved yet. Always there, and always as high.
#[component]
pub(super) fn LastStep(session: Session) -> impl IntoView {
    let words = move || {
        let unsent = session.unsent();
        match session.sending.get() {
            Sending::Waiting { seconds, .. } => {
                return format!("{} not saved yet. Trying again in {seconds} s.", count(unsent, "step", "steps"));
            }
            Sending::Stopped(_) => return format!("{} not saved.", count(unsent, "step", "steps")),
            Sending::Well => {}
        }
        session.past.with(|past| match past.last() {
            Some((_, Done::Said(seen))) => format!("{}.", name_of(seen)),
            Some((_, Done::Skipped)) => "Passed over.".to_owned(),
            None => String::new(),
        })
    };
    let is_well = move || session.sending.with(|sending| *sending == Sending::Well);
    view! {
        <p class="review__last" class:review__last--unsaved=move || !is_well() role="status">
            {move || match is_well() {
                true => Either::Left((!words().is_empty()).then(|| Icon::Check.view())),
                false => Either::Right(Icon::Clock.view()),
            }}
            <span>{words}</span>
        </p>
    }
}

/// What the annotator has to know or to do. It lies over the photo's lower edge and moves nothing.
#[component]
pub(super) fn Troubles(session: Session) -> impl IntoView {
    let stopped = move || match session.sending.get() {
        Sending::Stopped(trouble) => Some((trouble, true)),
        _ => {
            session.fetching_failed.get().filter(|_| session.tasks.with(Vec::is_empty)).map(|trouble| (trouble, false))
        }
    };
    view! {
        <div class="review__notices">
            {move || stopped().map(|(trouble, is_line)| {
                let again = move |_| if is_line { session.go_on() } else { session.fetch(true) };
                let is_signed_out = matches!(
                    &trouble,
                    Trouble::Refused(problem) if problem.kind == ProblemKind::Unauthenticated
                );
                view! {
                    <div class="notice notice--trouble" role="alert">
                        {Icon::Warning.view()}
                        <div class="notice__body">
                            <p class="notice__title">
                                {match (is_signed_out, is_line) {
                                    (true, _) => "You are signed out".to_owned(),
                                    (false, true) => "Your last answers are not saved".to_owned(),
                                    (false, false) => trouble.title(),
                                }}
                            </p>
                            <p>
                                {match is_signed_out {
                                    true => "Sign in again in another tab, then go on here: nothing you said is lost.".to_owned(),
                                    false => trouble.advice(),
                                }}
                            </p>
                            {is_signed_out.then(|| view! {
                                <a class="button button--small" href="/login?next=/review" rel="external" target="_blank">"Sign in"</a>
                            })}
                            <button type="button" class="button button--small" on:click=again>"Try again"</button>
                        </div>
                    </div>
                }
            })}
            {move || session.lost.get().map(|words| view! {
                <div class="notice" role="status">
                    {Icon::Warning.view()}
                    <div class="notice__body"><p>{words}</p></div>
                </div>
            })}
        </div>
    }
}

/// Every key, and the switch for those who use keys for something else.
#[component]
pub(super) fn Keys(
    choices: StoredValue<Vec<Choice>>,
    keys_answer: RwSignal<bool>,
    dialog: NodeRef<html::Dialog>,
) -> impl IntoView {
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let row = |key: String, does: String| view! { <div><dt><kbd class="key">{key}</kbd></dt><dd>{does}</dd></div> };
    let answers = choices.with_value(|choices| {
        choices
            .iter()
            .filter_map(|choice| Some(row(choice.key?.to_uppercase().to_string(), name_of(&choice.seen))))
            .collect_view()
    });
    view! {
        <dialog class="dialog keys" node_ref=dialog aria-labelledby="keys-title">
            <h2 class="dialog__title" id="keys-title">"Every answer has a key"</h2>
            <dl class="keys__list">
                {answers}
                {row("S".to_owned(), "Pass over: the photo does not come to you again".to_owned())}
                {row("U".to_owned(), "Take the last answer back (Backspace does it too)".to_owned())}
                {row("?".to_owned(), "This".to_owned())}
            </dl>
            <label class="tick">
                <input type="checkbox" prop:checked=keys_answer on:change=move |event| keys_answer.set(event_target_checked(&event))/>
                <span>"Keys answer"</span>
            </label>
            <div class="dialog__actions">
                <button type="button" class="button" on:click=close>"Close"</button>
            </div>
        </dialog>
    }
}

/// Why the form just posted was refused. Only the server, answering a form, has something to say here.
#[component]
pub(super) fn PostedTrouble() -> impl IntoView {
    #[cfg(feature = "ssr")]
    let posted = use_context::<crate::backend::PostedProblem>().map(|posted| Trouble::from(posted.0));
    #[cfg(not(feature = "ssr"))]
    let posted = None::<Trouble>;
    posted.map(|trouble| {
        view! {
            <div class="notice notice--trouble" role="alert">
                {Icon::Warning.view()}
                <div class="notice__body">
                    <p class="notice__title">"Your last answer was not saved"</p>
                    <p>{trouble.server_words()}</p>
                </div>
            </div>
        }
    })
}

/// What stands where a photo would be.
#[component]
pub(super) fn NoPhoto(session: Session) -> impl IntoView {
    move || match (session.fetching_failed.with(Option::is_some), session.unsent()) {
        (true, _) => EitherOf3::A(()),
        (false, 0) => EitherOf3::B(view! { <p class="review__wait" role="status">"Fetching the next photo…"</p> }),
        (false, _) => EitherOf3::C(view! { <p class="review__wait" role="status">"Saving your last answers…"</p> }),
    }
}
