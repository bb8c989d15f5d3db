//! An estimate with its interval, in a table's cell.

use leptos::prelude::*;

use super::{Estimate, Scale, scale::place};

/// A line from the interval's lower to its upper end, and a dot where the estimate is. Decoration: the numbers stand
/// beside it.
pub fn whisker(measured: Estimate, scale: Scale) -> impl IntoView {
    let x = |value| place(scale.at(value));
    view! {
        <svg class="whisker" aria-hidden="true" focusable="false">
            <line class="whisker__ground" x1="0%" x2="100%" y1="50%" y2="50%"/>
            <line class="whisker__interval" x1=x(measured.lower) x2=x(measured.upper) y1="50%" y2="50%"/>
            <circle class="whisker__value" cx=x(measured.value) cy="50%" r="4"/>
        </svg>
    }
}
