//! The classifier on the visitor's own device, as `device.js` offers it: in a worker, loaded when the page has nothing
//! better to do. Where it is missing, blocked or slow, there is no answer, and nothing waits for one.

use gourmetgram_api::DeviceAnswer;
use js_sys::{Function, Promise, Reflect};
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
    ask("classify", photo).await
}

/// The same, where it is known or will be in a moment: for an upload to take along.
pub async fn soon(photo: &File) -> Option<DeviceAnswer> {
    ask("soon", photo).await
}

async fn ask(question: &str, photo: &File) -> Option<DeviceAnswer> {
    let device = Reflect::get(&js_sys::global(), &INTERFACE.into()).ok()?;
    let asking: Function = Reflect::get(&device, &question.into()).ok()?.dyn_into().ok()?;
    let promise: Promise = asking.call1(&device, photo).ok()?.dyn_into().ok()?;
    let said: JsValue = JsFuture::from(promise).await.ok()?;
    serde_json::from_str::<Said>(&said.as_string()?).ok().map(|said| said.device)
}
