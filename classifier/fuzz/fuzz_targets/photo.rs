//! Any bytes, as a server would open them: headers, then pixels. A panic inside a decoder is caught by the crate and
//! would go unseen here, so it is made a crash again.
//!
//! ```text
//! cargo install cargo-fuzz --locked
//! cd classifier && RUSTC_BOOTSTRAP=1 cargo fuzz run photo -- -max_total_time=300 -dict=fuzz/photo.dict
//! ```
//!
//! What it finds worth keeping lies in `corpus/photo`; `tests/hostile.rs` opens all of it in every run.

#![no_main]

use gourmetgram_api::UploadLimits;
use libfuzzer_sys::{Corpus, fuzz_target};

use self::photo::{PhotoError, decode, probe};

// The module itself and not the crate, whose inference engine would take a quarter of an hour to instrument.
#[allow(dead_code)]
#[path = "../../src/photo/mod.rs"]
mod photo;

/// Small, so that the fuzzer tries many files a second rather than a few large ones.
const LIMITS: UploadLimits = UploadLimits { max_bytes: 1 << 20, max_pixels: 1 << 18 };

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let outcome = probe(bytes, &LIMITS).and_then(|info| {
        let photo = decode(bytes, &info, 32)?;
        assert!(info.decoded_bytes(32) >= photo.pixels().len() as u64);
        assert_eq!(photo.pixels().len(), photo.width() as usize * photo.height() as usize * 3);
        Ok(photo)
    });
    assert!(!matches!(outcome, Err(PhotoError::DecoderPanicked { .. })), "a decoder panicked");
    match outcome {
        // What is not even recognised teaches nothing.
        Err(PhotoError::NotAPicture) => Corpus::Reject,
        _ => Corpus::Keep,
    }
});
