//! What waits for reception, as `offline.js` keeps it on the visitor's device: photos on their way, and what is done with
//! photos that are recorded. Where the script is missing, or the device has no room, nothing is kept, and says so.

use gourmetgram_api::PredictionId;
use wasm_bindgen::JsValue;
use web_sys::File;

use crate::{device::ask, judgement::Judgement};

/// What `offline.js` puts into the page.
const INTERFACE: &str = "gourmetgramOffline";

/// What the page is told when something that waited has arrived; its detail is the photo's id.
pub const ARRIVED: &str = "gourmetgram-arrived";

/// Keeps a photo that is about to be sent. Whether it is kept: then it survives the page.
pub async fn keep(id: PredictionId, photo: &File) -> bool {
    say("keep", &[&name(id), photo]).await
}

/// The photo has arrived, or nobody wants it any more.
pub async fn drop(id: PredictionId) {
    say("drop", &[&name(id)]).await;
}

/// The page sends the photo no longer; it stays in the queue, if it is there.
pub async fn let_go(id: PredictionId) {
    say("letGo", &[&name(id)]).await;
}

/// Whether something about this photo waits. What is said next waits behind it.
pub async fn waits(id: PredictionId) -> bool {
    say("waits", &[&name(id)]).await
}

/// Keeps what the visitor says about a photo, until it can be sent. Whether it is kept.
pub async fn judge(id: PredictionId, judgement: &Judgement) -> bool {
    let (method, part, body) = judgement.request();
    let words = judgement.words();
    say("say", &[&name(id), &method.into(), &part.into(), &body.into(), &words.into()]).await
}

/// Keeps the wish that a photo be erased, until it can be sent. Whether it is kept.
pub async fn erase(id: PredictionId) -> bool {
    let (method, nothing, words) = ("DELETE".into(), "".into(), "Erase a photo".into());
    say("say", &[&name(id), &method, &nothing, &nothing, &words]).await
}

fn name(id: PredictionId) -> JsValue {
    id.to_string().into()
}

async fn say(what: &str, about: &[&JsValue]) -> bool {
    ask(INTERFACE, what, about).await.is_some_and(|answer| answer.is_truthy())
}
