//! The panel while a photo is on its way.

use leptos::{either::EitherOf4, html, prelude::*};

use crate::{
    components::TroubleNotice,
    trouble::Trouble,
    upload::{Phase, Upload},
    visit::Visit,
    wording,
};

/// Progress, waiting, or what went wrong.
#[component]
pub(super) fn Sending(upload: Upload) -> impl IntoView {
    let visit = expect_context::<Visit>();
    let heading = NodeRef::<html::H1>::new();
    visit.focus_when_new(heading);

    let phase = upload.phase;
    let title = {
        let phase = phase.clone();
        // A memo, so that each percent is not announced as a new heading.
        Memo::new(move |_| match phase.get() {
            Phase::Sending { .. } => "Sending your photo",
            Phase::Answering => "Having a look",
            Phase::Waiting { .. } => "One moment",
            Phase::Failed(_) => "That did not work",
        })
    };
    view! {
        <section class="panel sending">
            <h1 class="sending__title" tabindex="-1" node_ref=heading aria-live="polite">{title}</h1>
            {move || match phase.get() {
                Phase::Sending { percent } => EitherOf4::A(view! {
                    <progress class="progress" max="100" value=percent.to_string() aria-label="Sent"></progress>
                    <p class="sending__state">{percent} "% sent"</p>
                }),
                Phase::Answering => EitherOf4::B(view! {
                    <progress class="progress progress--endless" aria-label="Looking at the photo"></progress>
                    <p class="sending__state">"All is sent. The answer is on its way."</p>
                }),
                Phase::Waiting { seconds, trouble } => EitherOf4::C(view! {
                    <div class="notice">
                        <div class="notice__body">
                            <p class="notice__title">{trouble.title()}</p>
                            <p>"Your photo waits its turn: next try in " {wording::count(seconds as usize, "second", "seconds")} "."</p>
                        </div>
                    </div>
                    <button type="button" class="button" on:click=move |_| visit.retry()>"Try now"</button>
                }),
                Phase::Failed(trouble) => EitherOf4::D({
                    let resumes = trouble == Trouble::Unreachable;
                    view! {
                        <TroubleNotice trouble retry=Callback::new(move |()| visit.retry())/>
                        {resumes.then(|| view! {
                            <p class="sending__state">"Once you are online again, it goes on by itself."</p>
                        })}
                    }
                }),
            }}
            <button type="button" class="button button--quiet" on:click=move |_| visit.cancel_upload()>"Cancel"</button>
        </section>
    }
}
