//! Photos: what a file is, what reading it costs, and its pixels.
//!
//! Two steps, so that nothing large is allocated for a file nobody has agreed to: [`probe`] looks at headers,
//! [`decode`] at pixels. One room a format; what they share (limits, orientation, white paper under transparent
//! pixels) is here.

mod gif;
mod jpeg;
mod png;
mod strip;
mod webp;

use std::{fmt, panic};

use gourmetgram_api::UploadLimits;
use image::metadata::Orientation;

pub use self::strip::strip;

/// Why a file is broken that goes on where it ends: decoders have many words for it, this is one for people.
const ENDS_TOO_EARLY: &str = "it ends before the picture does";

/// The file formats we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PhotoFormat {
    /// JPEG: baseline and progressive, grayscale, YCbCr, RGB, CMYK and YCCK, 8 bits.
    Jpeg,
    /// PNG: every colour type and depth; of an animated one the default image.
    Png,
    /// WebP: lossy and lossless, with alpha; of an animated one the first frame.
    Webp,
    /// GIF: the first frame.
    Gif,
}

impl PhotoFormat {
    /// Recognises a format by the first bytes of a file, never by its name.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            _ => None,
        }
    }

    /// The media type, for example `image/jpeg`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
        }
    }

    /// The end of a file's name, with the dot: `.jpg`, `.png`, `.webp`, `.gif`.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => ".jpg",
            Self::Png => ".png",
            Self::Webp => ".webp",
            Self::Gif => ".gif",
        }
    }
}

impl fmt::Display for PhotoFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Webp => "WebP",
            Self::Gif => "GIF",
        })
    }
}

/// Why a file is not a photo we can look at. The text is fit for the person who sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// The file is larger than the limit.
    #[error("the file has {bytes} bytes, at most {max_bytes} are accepted: send a smaller one")]
    TooManyBytes {
        /// Its size.
        bytes: u64,
        /// The limit.
        max_bytes: u64,
    },
    /// The picture is larger than the limit; known from its headers, before any pixel was allocated.
    #[error(
        "the picture has {width} x {height} pixels, at most {:.0} million are accepted: send a smaller one",
        *max_pixels as f64 / 1e6
    )]
    TooManyPixels {
        /// Width as stored, in pixels.
        width: u32,
        /// Height as stored, in pixels.
        height: u32,
        /// The limit.
        max_pixels: u64,
    },
    /// None of the formats we read.
    #[error("the file is no JPEG, PNG, WebP or GIF picture: send one of those")]
    NotAPicture,
    /// A picture, but of a rare kind we do not read.
    #[error("this kind of {format} is not supported ({cause}): save it anew as an ordinary JPEG or PNG")]
    Unsupported {
        /// Its format.
        format: PhotoFormat,
        /// What is not supported.
        cause: String,
    },
    /// It begins like a picture, and then is truncated, damaged or forged.
    #[error("the {format} is damaged or cut off ({cause}): send it again, or another one")]
    Broken {
        /// Its format.
        format: PhotoFormat,
        /// What the decoder says.
        cause: String,
    },
    /// The decoder panicked on it: a defect of the decoder, worth a bug report. Only natively, as a last line.
    #[error("the {format} could not be read: its decoder failed")]
    DecoderPanicked {
        /// Its format.
        format: PhotoFormat,
    },
}

/// What a photo's headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoInfo {
    /// The file's format.
    pub format: PhotoFormat,
    /// Width as shown (after EXIF orientation), in pixels; at least 1.
    pub width: u32,
    /// Height as shown (after EXIF orientation), in pixels; at least 1.
    pub height: u32,
    /// EXIF orientation, 1 to 8; 1 where the file says nothing or nonsense.
    pub orientation: u8,
    stored: Stored,
}

/// What a decoder needs to know, and what decoding costs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stored {
    Jpeg(jpeg::Header),
    Png(png::Header),
    Webp(webp::Header),
    Gif(gif::Header),
}

impl PhotoInfo {
    fn new(format: PhotoFormat, (width, height): (u32, u32), exif: Option<&[u8]>, stored: Stored) -> Self {
        let orientation = exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms).to_exif();
        let (width, height) = if orientation >= 5 { (height, width) } else { (width, height) };
        Self { format, width, height, orientation, stored }
    }

    /// The most bytes that [`decode`] holds at once for this photo and this `target_side` (see there), without the
    /// file itself. An upper bound: a decoder may get by with less.
    pub fn decoded_bytes(&self, target_side: u32) -> u64 {
        let decoding = match &self.stored {
            Stored::Jpeg(header) => header.decoded_bytes(target_side),
            Stored::Png(header) => header.decoded_bytes(),
            Stored::Webp(header) => header.decoded_bytes(),
            Stored::Gif(header) => header.decoded_bytes(),
        };
        // Turning needs a second copy of the upright photo.
        let turning = if self.orientation == 1 { 0 } else { self.decoded_pixels(target_side) * 6 };
        decoding.max(turning)
    }

    fn decoded_pixels(&self, target_side: u32) -> u64 {
        match &self.stored {
            Stored::Jpeg(header) => header.decoded_pixels(target_side),
            Stored::Png(_) | Stored::Webp(_) | Stored::Gif(_) => u64::from(self.width) * u64::from(self.height),
        }
    }
}

/// A decoded photo: upright, 8-bit RGB, no padding between rows.
#[derive(Clone, PartialEq, Eq)]
pub struct RgbPhoto {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl RgbPhoto {
    /// `pixels` are `height` rows of `width` times R, G, B; `None` if their number is another, or zero.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Option<Self> {
        let expected = (width as usize).checked_mul(height as usize)?.checked_mul(3)?;
        (expected > 0 && pixels.len() == expected).then_some(Self { width, height, pixels })
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The rows, top to bottom: `height` times `width` times R, G, B.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    fn upright(self, orientation: u8) -> Option<Self> {
        let orientation = Orientation::from_exif(orientation).unwrap_or(Orientation::NoTransforms);
        let mut picture = image::DynamicImage::from(image::RgbImage::from_raw(self.width, self.height, self.pixels)?);
        picture.apply_orientation(orientation);
        let (width, height) = (picture.width(), picture.height());
        Self::new(width, height, picture.into_rgb8().into_raw())
    }
}

impl fmt::Debug for RgbPhoto {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RgbPhoto({} x {})", self.width, self.height)
    }
}

/// Reads a photo's headers and checks them against `limits`. Allocates no pixels.
///
/// # Errors
/// Every [`PhotoError`]; a file whose headers are fine may still turn out broken in [`decode`].
pub fn probe(bytes: &[u8], limits: &UploadLimits) -> Result<PhotoInfo, PhotoError> {
    let size = bytes.len() as u64;
    if size > limits.max_bytes {
        return Err(PhotoError::TooManyBytes { bytes: size, max_bytes: limits.max_bytes });
    }
    let format = PhotoFormat::of(bytes).ok_or(PhotoError::NotAPicture)?;
    guarded(format, || match format {
        PhotoFormat::Jpeg => jpeg::probe(bytes, limits),
        PhotoFormat::Png => png::probe(bytes, limits),
        PhotoFormat::Webp => webp::probe(bytes, limits),
        PhotoFormat::Gif => gif::probe(bytes, limits),
    })
}

/// Reads the pixels of a photo that [`probe`] has let pass, upright.
///
/// `target_side` is the side, in pixels, of what the photo will be resized to. A JPEG at least three times as large is
/// scaled by 1/2, 1/4 or 1/8 while it is decoded, its short side staying at least one and a half times `target_side`, so
/// that a later antialiased resize sees enough. Other formats come in full size.
///
/// # Errors
/// [`PhotoError::Broken`], [`PhotoError::Unsupported`] or [`PhotoError::DecoderPanicked`].
pub fn decode(bytes: &[u8], info: &PhotoInfo, target_side: u32) -> Result<RgbPhoto, PhotoError> {
    guarded(info.format, || {
        let photo = match &info.stored {
            Stored::Jpeg(header) => jpeg::decode(bytes, header, target_side),
            Stored::Png(header) => png::decode(bytes, header),
            Stored::Webp(header) => webp::decode(bytes, header),
            Stored::Gif(header) => gif::decode(bytes, header),
        }?;
        photo.upright(info.orientation).ok_or_else(|| broken(info.format, "its pixels do not fit its size"))
    })
}

/// Decoders are not ours, and photos come from strangers: where one panics nevertheless, only this photo fails.
fn guarded<T>(format: PhotoFormat, work: impl FnOnce() -> Result<T, PhotoError>) -> Result<T, PhotoError> {
    // Unwind-safe: `work` only reads borrowed bytes, and what it builds is dropped by the unwinding.
    panic::catch_unwind(panic::AssertUnwindSafe(work)).unwrap_or(Err(PhotoError::DecoderPanicked { format }))
}

fn broken(format: PhotoFormat, cause: impl fmt::Display) -> PhotoError {
    PhotoError::Broken { format, cause: cause.to_string() }
}

/// Refuses empty pictures and those above the limit.
fn check_size(format: PhotoFormat, (width, height): (u32, u32), limits: &UploadLimits) -> Result<(), PhotoError> {
    if width == 0 || height == 0 {
        return Err(broken(format, format_args!("{width} x {height} pixels")));
    }
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(PhotoError::TooManyPixels { width, height, max_pixels: limits.max_pixels });
    }
    Ok(())
}

/// Pixels of `channels` bytes each (1: gray, 2: gray and alpha, 3: RGB, 4: RGBA) become RGB, transparent ones on white.
///
/// Three and four channels are rewritten in place, so that a large photo is held once.
fn into_rgb(mut pixels: Vec<u8>, channels: usize) -> Vec<u8> {
    match channels {
        1 => pixels.iter().flat_map(|&gray| [gray; 3]).collect(),
        2 => pixels.chunks_exact(2).flat_map(|pixel| [on_white(pixel[0], pixel[1]); 3]).collect(),
        4 => {
            let count = pixels.len() / 4;
            for index in 0..count {
                let alpha = pixels[4 * index + 3];
                for channel in 0..3 {
                    pixels[3 * index + channel] = on_white(pixels[4 * index + channel], alpha);
                }
            }
            pixels.truncate(3 * count);
            pixels
        }
        _ => pixels,
    }
}

/// A half-transparent value as it looks on white paper.
fn on_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}
