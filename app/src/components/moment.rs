//! A moment in time, in the visitor's own clock and language where a browser can say it so.

use std::{cell::OnceCell, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};
use js_sys::{Array, Date, Function, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};

use super::later::is_alive;
use crate::wording;

/// A moment. Both sides first write the same UTC text, so hydration finds what it expects; then the browser puts it
/// into the visitor's clock: of what comes later before it is seen, of what the server wrote in a task of its own, so that the
/// page is alive before that.
#[component]
pub fn Moment(
    /// When.
    at: DateTime<Utc>,
) -> impl IntoView {
    let machine_readable = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let text = RwSignal::new(wording::moment(at));
    // Asked for now: when effects run, the part that it came with may be the last that was awaited.
    let is_new = is_alive();
    Effect::new(move |_| {
        let put = move || {
            if let Some(local) = local_text(at) {
                // Who left the page meanwhile has nothing to read here.
                let _ = text.try_set(local);
            }
        };
        match is_new {
            true => put(),
            false => set_timeout(put, Duration::ZERO),
        }
    });
    view! { <time datetime=machine_readable>{text}</time> }
}

/// A moment in the visitor's own clock and language, where a browser can say it so.
pub(crate) fn local_text(at: DateTime<Utc>) -> Option<String> {
    thread_local! {
        // One for the whole page: making it takes a browser a hundred times as long as using it.
        static FORMAT: OnceCell<Option<Function>> = const { OnceCell::new() };
    }
    let date = Date::new(&(at.timestamp_millis() as f64).into());
    FORMAT.with(|format| {
        let format = format.get_or_init(formatter).as_ref()?;
        format.call1(&JsValue::UNDEFINED, &date).ok()?.as_string()
    })
}

/// What `Intl.DateTimeFormat` formats with, in the visitor's language.
fn formatter() -> Option<Function> {
    let window = web_sys::window()?;
    let options = Object::new();
    Reflect::set(&options, &"dateStyle".into(), &"medium".into()).ok()?;
    Reflect::set(&options, &"timeStyle".into(), &"short".into()).ok()?;
    let arguments = Array::of2(&window.navigator().language()?.into(), &options);
    // Made so that what it throws can be caught: WebKit may name a language ("C") that its own formatter refuses.
    let intl = Reflect::get(&window, &"Intl".into()).ok()?;
    let class: Function = Reflect::get(&intl, &"DateTimeFormat".into()).ok()?.dyn_into().ok()?;
    let format = Reflect::construct(&class, &arguments).ok()?;
    Reflect::get(&format, &"format".into()).ok()?.dyn_into().ok()
}
