//! Any bytes through [`strip`]: what a server would keep must decode to the same pixels, and must have nothing left to
//! take off. A file that decodes but cannot be stripped is refused by the server, which is safe, and worth a look here.
//!
//! ```text
//! cd classifier && RUSTC_BOOTSTRAP=1 cargo fuzz run strip fuzz/corpus/photo -- -max_total_time=300 -dict=fuzz/photo.dict
//! ```

#![no_main]

use gourmetgram_api::UploadLimits;
use libfuzzer_sys::{Corpus, fuzz_target};

use self::photo::{decode, probe, strip};

#[allow(dead_code)]
#[path = "../../src/photo/mod.rs"]
mod photo;

/// Small, so that the fuzzer tries many files a second rather than a few large ones.
const LIMITS: UploadLimits = UploadLimits { max_bytes: 1 << 20, max_pixels: 1 << 18 };

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(info) = probe(bytes, &LIMITS) else { return Corpus::Reject };
    let Ok(stripped) = strip(bytes, &info) else { return Corpus::Keep };
    assert!(stripped.len() <= bytes.len() + 64, "nothing but an orientation and an end is added");
    let again = probe(&stripped, &LIMITS).expect("a stripped photo is a photo");
    let Ok(before) = decode(bytes, &info, 32) else { return Corpus::Keep };
    assert_eq!((info.width, info.height, info.orientation), (again.width, again.height, again.orientation));
    let after = decode(&stripped, &again, 32).expect("a stripped photo decodes");
    assert!(before == after, "other pixels");
    assert_eq!(strip(&stripped, &again).as_ref(), Ok(&stripped), "something was left to take off");
    Corpus::Keep
});
