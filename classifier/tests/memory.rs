//! Nothing large is allocated for a file nobody has agreed to, and what decoding takes is known before.
//!
//! One test, alone in its process: it watches everything that is allocated.

use std::{
    fs,
    path::{Path, PathBuf},
};

use gourmetgram_api::UploadLimits;
use gourmetgram_classifier::{decode, probe};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// What `work` allocated at once, at most.
fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let result = work();
    (result, ALLOCATED.peak_usage().saturating_sub(before))
}

fn folder(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name);
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn memory_is_bounded_before_and_while_decoding() {
    /// For tables, rows and errors.
    const SMALL_THINGS: usize = 300_000;
    let limits = UploadLimits::default();

    for path in folder("hostile").into_iter().chain(folder("pictures")) {
        let bytes = fs::read(&path).unwrap();
        let (info, headers) = peak(|| probe(&bytes, &limits));
        assert!(headers <= SMALL_THINGS, "headers of {}: {headers} bytes", path.display());
        let Ok(info) = info else { continue };
        for side in [64, 224, 2000] {
            let (_, pixels) = peak(|| decode(&bytes, &info, side));
            let bound = usize::try_from(info.decoded_bytes(side)).unwrap() + SMALL_THINGS;
            assert!(pixels <= bound, "pixels of {} for {side}: {pixels} bytes, not {bound}", path.display());
        }
    }

    // And the watch does watch.
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures/plate.jpg")).unwrap();
    let info = probe(&bytes, &limits).unwrap();
    let (photo, pixels) = peak(|| decode(&bytes, &info, 900).unwrap());
    assert!(pixels >= photo.pixels().len());
}
