//! The panel while a photo is on its way.

use leptos::{either::EitherOf5, html, prelude::*};

use crate::{
    components::{Icon, TroubleNotice},
    upload::{Phase, Upload},
    visit::Visit,
    wording::{count, file_size, percent},
};

/// Progress, waiting, or what went wrong.
#[component]
pub(super) fn Sending(upload: Upload) -> impl IntoView {
    let visit = expect_context::<Visit>();
    let heading = NodeRef::<html::H1>::new();
    visit.focus_when_new(heading);

    let (phase, is_slow, bytes) = (upload.phase.clone(), upload.is_slow.clone(), upload.bytes.clone());
    let is_kept = upload.is_kept.clone();
    let title = {
        let phase = phase.clone();
        // A memo, so that each percent is not announced as a new heading.
        Memo::new(move |_| {
            phase.with(|phase| match phase {
                Phase::Queued => "In the line".to_owned(),
                Phase::Sending { .. } => "Sending your photo".to_owned(),
                Phase::Answering | Phase::Answered { .. } => "Having a look".to_owned(),
                Phase::Waiting { trouble, .. } => trouble.title(),
                Phase::Offline => "You are offline".to_owned(),
                Phase::Failed(_) => "That did not work".to_owned(),
            })
        })
    };
    let again = {
        let upload = upload.clone();
        Callback::new(move |()| {
            // The button goes with the trouble; the focus stays on what happens next.
            if let Some(heading) = heading.get_untracked() {
                let _ = heading.focus();
            }
            visit.retry(&upload);
        })
    };
    let is_over = {
        let phase = phase.clone();
        Memo::new(move |_| phase.with(Phase::is_over))
    };
    let device = upload.device.clone();
    // Read out once; its place is kept, so it moves nothing.
    let preliminary = move || {
        device.get().map(|answer| {
            view! {
                "Preliminary: "
                <strong>{answer.predicted_class}</strong>
                {format!(", {}, says this device.", percent(answer.confidence.get()))}
            }
        })
    };
    view! {
        <section class="panel sending">
            <h1 class="sending__title" tabindex="-1" node_ref=heading aria-live="polite">{title}</h1>
            <p class="sending__device" role="status">{preliminary}</p>
            <div class="sending__step">
                {move || match phase.get() {
                    Phase::Queued => EitherOf5::A(waits(Icon::Clock, "It is sent as soon as one before it is answered.".to_owned())),
                    Phase::Offline => EitherOf5::A(waits(
                        Icon::Offline,
                        match is_kept.get() {
                            true => "Your photo is kept on this device and goes on by itself once you have a connection, \
                                     also if you close this page and come back.",
                            false => "Your photo waits here and goes on by itself once you have a connection. This \
                                      device has no room to keep it: leave this page open.",
                        }
                        .to_owned(),
                    )),
                    Phase::Sending { percent } => EitherOf5::B({
                        let bytes = bytes.get();
                        let sent = file_size(bytes * u64::from(percent) / 100);
                        view! {
                            <progress class="progress" max="100" value=percent.to_string() aria-label="Sent"></progress>
                            <p class="sending__state">{percent} "% sent"</p>
                            {is_slow.get().then(|| view! {
                                <p class="sending__state" role="status">
                                    {format!("Your connection is slow: {sent} of {} have left. It goes on by itself.", file_size(bytes))}
                                </p>
                            })}
                        }
                    }),
                    Phase::Answering | Phase::Answered { .. } => EitherOf5::C(view! {
                        <progress class="progress progress--endless" aria-label="Looking at the photo"></progress>
                        <p class="sending__state">"All is sent. The answer is on its way."</p>
                        {is_slow.get().then(|| view! {
                            <p class="sending__state" role="status">
                                "The server takes longer than usual. Your photo has arrived there; nothing is sent twice."
                            </p>
                        })}
                    }),
                    Phase::Waiting { seconds, trouble } => EitherOf5::D(view! {
                        <div class="notice">
                            {Icon::Clock.view()}
                            <div class="notice__body">
                                <p>{trouble.advice()}</p>
                                <p class="sending__next">
                                    "Your photo waits its turn: next try in " {count(seconds as usize, "second", "seconds")} "."
                                </p>
                                <button type="button" class="button" on:click=move |_| again.run(())>"Try now"</button>
                            </div>
                        </div>
                    }),
                    Phase::Failed(trouble) => EitherOf5::E({
                        let goes_on = is_kept.get() && (trouble.may_pass() || trouble.needs_reload());
                        view! {
                            <TroubleNotice trouble retry=again/>
                            {goes_on.then(|| view! {
                                <p class="sending__state">
                                    "Your photo is kept on this device and is sent by itself as soon as that works again, also \
                                     if you close this page and come back."
                                </p>
                            })}
                        }
                    }),
                }}
            </div>
            <button type="button" class="button button--quiet" on:click=move |_| match is_over.get_untracked() {
                true => visit.close(&upload),
                false => visit.cancel(&upload),
            }>
                {move || if is_over.get() { "Close" } else { "Cancel" }}
            </button>
        </section>
    }
}

/// Nothing moves, and that is as it should be.
fn waits(icon: Icon, text: String) -> impl IntoView {
    view! {
        <div class="notice">{icon.view()}<div class="notice__body"><p>{text}</p></div></div>
    }
}
