//! A share as a bar, beside the number that says it.

use leptos::prelude::*;

use super::{Scale, scale::place};

/// A bar that is filled by `share`, from 0 to 1. `class` is one of `style/charts.css`: `bar--plain`, `bar--pale`,
/// `bar--done`, and `bar--half`, which has a mark at its middle. Decoration: the number stands beside it.
pub fn bar(share: f64, class: &'static str) -> impl IntoView {
    let middle =
        (class == "bar--half").then(|| view! { <line class="bar__mark" x1="50%" x2="50%" y1="0%" y2="100%"/> });
    view! {
        <svg class=format!("bar {class}") aria-hidden="true" focusable="false">
            <rect class="bar__track" width="100%" height="100%"/>
            <rect class="bar__fill" width=place(Scale::SHARES.at(share)) height="100%"/>
            {middle}
        </svg>
    }
}
