//! The confirmation of what a visitor just did: seen for a while, and read out.

use std::time::Duration;

use leptos::prelude::*;

use super::Icon;
use crate::visit::Visit;

/// How long a confirmation stays. What it confirms also stands in the page, so nothing is lost with it.
const SHOWN_FOR: Duration = Duration::from_secs(6);

/// The region that shows and announces the latest confirmation. It is always there, because screen readers only read
/// out what changes within a region they know.
#[component]
pub fn Confirmation() -> impl IntoView {
    let text = expect_context::<Visit>().confirmation;
    Effect::new(move |before: Option<Option<TimeoutHandle>>| {
        if let Some(timer) = before.flatten() {
            timer.clear();
        }
        text.get()?;
        set_timeout_with_handle(move || text.set(None), SHOWN_FOR).ok()
    });
    view! {
        <div class="confirmation" role="status" aria-live="polite">
            {move || text.get().map(|text| view! { <p class="confirmation__text">{Icon::Check.view()}<span>{text}</span></p> })}
        </div>
    }
}
