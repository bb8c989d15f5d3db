//! The classifier on the visitor's own device, as `device.js` offers it: in a worker, loaded when the page has nothing
//! better to do. Where it is missing, blocked or slow, there is no answer, and nothing waits for one.

use gourmetgram_api::DeviceAnswer;
use js_sys::{Array, Function, Promise, Reflect};
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

/// What `device.js` puts into the page.
const INTERFACE: &str = "gourmetgramDevice";

#[derive(Deserialize)]
struct Said {
    device: DeviceAnswer,
}

/// What this device says a photo shows, as soon as it is known.
pub async fn classify(photo: &File) -> Option<DeviceAnswer> {
    said("classify", photo).await
}

/// The same, where it is known or will be in a moment: for an upload to take along.
pub async fn soon(photo: &File) -> Option<DeviceAnswer> {
    said("soon", photo).await
}

async fn said(question: &str, photo: &File) -> Option<DeviceAnswer> {
    let said = ask(INTERFACE, question, &[photo]).await?;
    serde_json::from_str::<Said>(&said.as_string()?).ok().map(|said| said.device)
}

/// What a script that stands beside the page's own promises, where it is there.
pub(crate) async fn ask(interface: &str, question: &str, about: &[&JsValue]) -> Option<JsValue> {
    let interface = Reflect::get(&js_sys::global(), &interface.into()).ok()?;
    let asking: Function = Reflect::get(&interface, &question.into()).ok()?.dyn_into().ok()?;
    let about: Array = about.iter().copied().collect();
    let promise: Promise = asking.apply(&interface, &about).ok()?.dyn_into().ok()?;
    JsFuture::from(promise).await.ok()
}
