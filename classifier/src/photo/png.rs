//! PNG, through `png` itself rather than `image`: so text and colour profiles, where bombs hide, are never unpacked,
//! and 16-bit samples are halved row by row instead of being held whole.

use std::io::Cursor;

use gourmetgram_api::UploadLimits;
use png::{Decoder, DecodingError, Limits, Reader, Transformations};

use super::{PhotoError, PhotoFormat, PhotoInfo, RgbPhoto, Stored, broken, check_size, into_rgb};

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

fn refusal(error: DecodingError) -> PhotoError {
    broken(PhotoFormat::Png, error)
}
