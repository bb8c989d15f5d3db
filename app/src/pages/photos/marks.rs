//! What is known of a photo beside its label, in few words.

use leptos::prelude::*;

use crate::{components::Icon, explore::Card, wording};

/// Flag, correction and annotation.
#[component]
pub(super) fn Marks(card: Signal<Card>) -> impl IntoView {
    move || {
        let card = card.get();
        view! {
            {card.flag.map(|reason| view! {
                <span class="badge badge--flagged" title=format!("Flagged: {}", wording::flag_reason(reason).to_ascii_lowercase())>
                    {Icon::Flag.view()}
                    <span>{wording::flag_reason(reason)}</span>
                </span>
            })}
            {card.corrected.map(|label| view! {
                <span class="badge badge--corrected">
                    {Icon::Pencil.view()}
                    <span><span class="visually-hidden">"Corrected to "</span>{label}</span>
                </span>
            })}
            {card.annotated.map(|(label, by)| view! {
                <span class="badge badge--annotated" title=format!("Labelled by {by}")>
                    {Icon::Check.view()}
                    <span><span class="visually-hidden">"Labelled "</span>{label}</span>
                </span>
            })}
        }
    }
}
