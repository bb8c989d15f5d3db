//! A moment in time, in the visitor's own clock and language where a browser can say it so.

use chrono::{DateTime, SecondsFormat, Utc};
use js_sys::{Date, Function, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::wording;

/// A moment. Both sides first write the same UTC text, so hydration finds what it expects; then the browser puts it
/// into the visitor's clock.
#[component]
pub fn Moment(
    /// When.
    at: DateTime<Utc>,
) -> impl IntoView {
    let machine_readable = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let text = RwSignal::new(wording::moment(at));
    Effect::new(move |_| {
        if let Some(local) = local_text(at) {
            text.set(local);
        }
    });
    view! { <time datetime=machine_readable>{text}</time> }
}

fn local_text(at: DateTime<Utc>) -> Option<String> {
    let date = Date::new(&(at.timestamp_millis() as f64).into());
    let options = Object::new();
    Reflect::set(&options, &"dateStyle".into(), &"medium".into()).ok()?;
    Reflect::set(&options, &"timeStyle".into(), &"short".into()).ok()?;
    let language = web_sys::window()?.navigator().language()?;
    // Called so that what it throws can be caught: WebKit may name a language ("C") that its own formatter refuses.
    let format: Function = Reflect::get(&date, &"toLocaleString".into()).ok()?.dyn_into().ok()?;
    format.call2(&date, &language.into(), &options).ok()?.as_string()
}
