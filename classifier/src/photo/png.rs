//! PNG, through `png` itself rather than `image`: so text and colour profiles, where bombs hide, are never unpacked,
//! and 16-bit samples are halved row by row instead of being held whole.

use std::io::{self, Cursor};

use gourmetgram_api::UploadLimits;
use png::{Decoder, DecodingError, Limits, Reader, Transformations};

use super::{
    ENDS_TOO_EARLY, PhotoError, PhotoFormat, PhotoInfo, RgbPhoto, Stored, broken, check_size, into_rgb,
    strip::{Pieces, orientation_as_exif},
};

/// What the decoder may allocate besides the pixels and two rows: metadata we do not even read.
const METADATA_BYTES: u64 = 1 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    width: u32,
    height: u32,
    /// Channels after unpacking, one byte each: 1 to 4.
    channels: u8,
}

impl Header {
    pub(super) fn decoded_bytes(&self) -> u64 {
        let pixels = u64::from(self.width) * u64::from(self.height);
        let channels = u64::from(self.channels);
        // One and two channels are spread into a second buffer, three and four become RGB in place.
        let held = if channels < 3 { channels + 3 } else { channels };
        pixels * held + row_bytes(self.width) + METADATA_BYTES
    }
}

/// Bounds what the decoder keeps of rows: the current, the one before, and the one it hands out.
fn row_bytes(width: u32) -> u64 {
    const LARGEST_PIXEL: u64 = 8;
    (u64::from(width) * LARGEST_PIXEL + 1) * 4
}

pub(super) fn probe(bytes: &[u8], limits: &UploadLimits) -> Result<PhotoInfo, PhotoError> {
    let reader = open(bytes, limits)?;
    let (width, height) = reader.info().size();
    let channels = reader.output_color_type().0.samples() as u8;
    let exif = reader.info().exif_metadata.clone();
    let header = Header { width, height, channels };
    Ok(PhotoInfo::new(PhotoFormat::Png, (width, height), exif.as_deref(), Stored::Png(header)))
}

pub(super) fn decode(bytes: &[u8], header: &Header) -> Result<RgbPhoto, PhotoError> {
    let limits =
        UploadLimits { max_bytes: bytes.len() as u64, max_pixels: u64::from(header.width) * u64::from(header.height) };
    let mut reader = open(bytes, &limits)?;
    let channels = reader.output_color_type().0.samples();
    let size = reader.output_buffer_size().ok_or_else(|| broken(PhotoFormat::Png, "too large"))?;
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(refusal)?;
    if (frame.width, frame.height) != (header.width, header.height) {
        return Err(broken(PhotoFormat::Png, "its first frame does not fill it"));
    }
    RgbPhoto::new(frame.width, frame.height, into_rgb(pixels, channels))
        .ok_or_else(|| broken(PhotoFormat::Png, "too few pixels"))
}

/// Reads up to the pixels, having checked the size as soon as it is known.
fn open<'a>(bytes: &'a [u8], limits: &UploadLimits) -> Result<Reader<Cursor<&'a [u8]>>, PhotoError> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: METADATA_BYTES as usize });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(Transformations::normalize_to_color8());
    let (width, height) = decoder.read_header_info().map_err(refusal)?.size();
    check_size(PhotoFormat::Png, (width, height), limits)?;
    let bytes = usize::try_from(METADATA_BYTES + row_bytes(width)).unwrap_or(usize::MAX);
    decoder.set_limits(Limits { bytes });
    decoder.read_info().map_err(refusal)
}

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Chunks that make up the picture, its animation and its colours.
const KEPT: [&[u8; 4]; 16] = [
    b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL", b"fcTL", b"fdAT", b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"sBIT",
    b"bKGD", b"pHYs", b"cICP", b"mDCV",
];

/// The file with nothing but the chunks above. `None` where one of them is cut off.
pub(super) fn strip(bytes: &[u8], orientation: u8) -> Option<Vec<u8>> {
    let mut stripped = Vec::with_capacity(bytes.len());
    stripped.extend(SIGNATURE);
    let mut rest = Pieces::of(bytes);
    rest.take(SIGNATURE.len())?;
    let mut goes_on = false;
    loop {
        let chunk = rest;
        let Some((length, name)) = rest.take_array().zip(rest.take_array()) else {
            // A file that breaks off behind its pixels is left to the decoder to judge: with an end of ours, a picture
            // that was cut off would pass for a whole one. To decoders any other chunk is an end of the pixels.
            if goes_on {
                push_chunk(&mut stripped, b"IEND", &[]);
            }
            return Some(stripped);
        };
        let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
        let is_kept = KEPT.contains(&&name);
        let whole = rest.take(length).and_then(|_| rest.take_array::<4>());
        if &name == b"IEND" || (whole.is_none() && !is_kept) {
            push_chunk(&mut stripped, b"IEND", &[]);
            return Some(stripped);
        }
        whole?;
        goes_on = !is_kept;
        if is_kept {
            stripped.extend_from_slice(&chunk.rest()[..length + 12]);
        }
        if &name == b"IHDR" && orientation != 1 {
            push_chunk(&mut stripped, b"eXIf", &orientation_as_exif(orientation));
        }
    }
}

fn push_chunk(file: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    let mut sum = crc32fast::Hasher::new();
    sum.update(name);
    sum.update(content);
    file.extend((content.len() as u32).to_be_bytes());
    file.extend(name);
    file.extend(content);
    file.extend(sum.finalize().to_be_bytes());
}

fn refusal(error: DecodingError) -> PhotoError {
    match error {
        DecodingError::IoError(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
            broken(PhotoFormat::Png, ENDS_TOO_EARLY)
        }
        other => broken(PhotoFormat::Png, other),
    }
}
