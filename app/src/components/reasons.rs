//! The reasons to flag a photo.

use gourmetgram_api::FlagReason;
use leptos::{ev, prelude::*};

use crate::{judgement::Judgement, wording::flag_reason};

/// One button a reason, the standing one pressed: pressing that takes the flag back. They are submit buttons of the form
/// around them, which flags; alive, a click tells `tell` instead.
#[component]
pub fn FlagReasons(
    /// The standing flag.
    flag: Memo<Option<FlagReason>>,
    /// Where a form takes the flag back.
    #[prop(into)]
    unflag: Signal<String>,
    /// Is told what was pressed.
    tell: Callback<Judgement>,
) -> impl IntoView {
    let reasons = FlagReason::ALL.map(|reason| {
        let pressed = move || flag.get() == Some(reason);
        let toggle = move |event: ev::MouseEvent| {
            event.prevent_default();
            let is_pressed = flag.get_untracked() == Some(reason);
            tell.run(if is_pressed { Judgement::Unflag } else { Judgement::Flag(reason) });
        };
        view! {
            <button
                class="chip"
                type="submit"
                name="reason"
                value=reason.as_str()
                aria-pressed=move || pressed().to_string()
                formaction=move || pressed().then(|| unflag.get())
                on:click=toggle
            >
                {flag_reason(reason)}
            </button>
        }
    });
    reasons.collect_view()
}
