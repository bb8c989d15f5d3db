//! The browser's entry points, one for each page that comes alive. The page's script loads a bundle's module and calls
//! its `hydrate`, which takes over what the server rendered. Everything that does lives in `gourmetgram-app`.
//!
//! Natively there is nothing here, so that a build of the whole workspace never mixes the app's two sides.

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub use {console_error_panic_hook, gourmetgram_app, wasm_bindgen};

/// Makes a binary of this crate the entry point of a bundle of `gourmetgram_app::bundles`.
#[macro_export]
macro_rules! entry {
    ($bundle:ident) => {
        #[cfg(target_arch = "wasm32")]
        mod entry {
            use $crate::wasm_bindgen::{self, prelude::wasm_bindgen};

            /// Makes the page alive. Called once, by the script the server puts into the page.
            #[wasm_bindgen]
            pub fn hydrate() {
                $crate::console_error_panic_hook::set_once();
                $crate::gourmetgram_app::bundles::hydrate($crate::gourmetgram_app::bundles::$bundle);
            }
        }

        // The module does nothing before it is told to.
        fn main() {}
    };
}
