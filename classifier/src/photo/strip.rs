//! Takes off a photo what is not its picture: where it was taken, by whom, with what, when; thumbnails, comments,
//! second pictures, films behind its end.
//!
//! A file is taken apart into the pieces of its format, and only pieces that are known to make up the picture or its
//! colours are put together again; what nobody knows is not kept. Pixels are never decoded, so nothing of them is lost.
//! Of the metadata only the orientation stays, in a new block that holds nothing else.
//!
//! Where a file cannot be taken apart, it is an error: a photo that would keep its secrets is not kept at all.

use gourmetgram_api::UploadLimits;

use super::{PhotoError, PhotoFormat, PhotoInfo, broken, gif, jpeg, png, webp};

/// The file without its metadata: the same format, pixels, colours and orientation. `info` is what
/// [`probe`](super::probe) said of these very bytes.
///
/// Doing it again changes nothing.
///
/// # Errors
/// [`PhotoError::Broken`] where the file is cut off or its pieces do not fit together.
pub fn strip(bytes: &[u8], info: &PhotoInfo) -> Result<Vec<u8>, PhotoError> {
    let stripped = match info.format {
        PhotoFormat::Jpeg => jpeg::strip(bytes, info.orientation),
        PhotoFormat::Png => png::strip(bytes, info.orientation),
        PhotoFormat::Webp => webp::strip(bytes, info.orientation),
        PhotoFormat::Gif => gif::strip(bytes),
    };
    let stripped = stripped.ok_or_else(|| broken(info.format, super::ENDS_TOO_EARLY))?;
    // A damaged file may be read in two ways. What is kept must be the picture that was looked at.
    let limits =
        UploadLimits { max_bytes: stripped.len() as u64, max_pixels: u64::from(info.width) * u64::from(info.height) };
    if super::probe(&stripped, &limits)? != *info {
        return Err(broken(info.format, "its pieces do not fit together"));
    }
    Ok(stripped)
}

/// An EXIF block (a TIFF file) that says the orientation and nothing else.
pub(super) fn orientation_as_exif(orientation: u8) -> [u8; 26] {
    [
        b'I',
        b'I',
        42,
        0,
        8,
        0,
        0,
        0, // little-endian; the directory is at byte 8
        1,
        0, // it has one entry:
        0x12,
        0x01,
        3,
        0,
        1,
        0,
        0,
        0,
        orientation,
        0,
        0,
        0, // orientation, one short number
        0,
        0,
        0,
        0, // and no directory follows
    ]
}

/// A file that is read piece by piece from its beginning. Every step is `None` where the file has ended.
#[derive(Clone, Copy)]
pub(super) struct Pieces<'a>(&'a [u8]);

impl<'a> Pieces<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(super) fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn take_array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take_array().map(|[byte]| byte)
    }
}
