//! The browser's entry point. The page's script loads this module and calls [`hydrate`], which takes over what the
//! server rendered. Everything it does lives in `gourmetgram-app`.

#![cfg(target_arch = "wasm32")]

use gourmetgram_app::App;
use wasm_bindgen::prelude::wasm_bindgen;

/// Makes the page alive. Called once, by the script the server puts into the page.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(App);
}
