//! WebP; of an animation only the first frame. Through `image-webp` itself: `image` does not pass on its limit of memory,
//! and so would allocate four gigabytes for an EXIF chunk that claims to be that long.

use std::io::{self, Cursor};

use gourmetgram_api::UploadLimits;
use image_webp::{DecodingError, WebPDecoder};

use super::{
    ENDS_TOO_EARLY, PhotoError, PhotoFormat, PhotoInfo, RgbPhoto, Stored, broken, check_size, into_rgb,
    strip::{Pieces, orientation_as_exif},
};

/// Besides the returned pixels the decoder holds at most a canvas and a frame, of four bytes a pixel each.
const BYTES_BESIDE: u64 = 8;

/// More than this is no EXIF of a photo.
const MAX_EXIF_BYTES: usize = 1 << 16;

/// WebP compresses in blocks of 16 pixels.
const BLOCK: u64 = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    width: u32,
    height: u32,
    /// 3 (RGB) or 4 (RGBA), one byte each.
    channels: u8,
}

impl Header {
    pub(super) fn decoded_bytes(&self) -> u64 {
        let padded = |side: u32| u64::from(side).next_multiple_of(BLOCK);
        padded(self.width) * padded(self.height) * (u64::from(self.channels) + BYTES_BESIDE)
    }
}

pub(super) fn probe(bytes: &[u8], limits: &UploadLimits) -> Result<PhotoInfo, PhotoError> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(refusal)?;
    let (width, height) = decoder.dimensions();
    check_size(PhotoFormat::Webp, (width, height), limits)?;
    check_frames_inside(bytes, (width, height))?;
    decoder.set_memory_limit(MAX_EXIF_BYTES);
    // Damaged metadata is no reason to refuse a picture.
    let exif = decoder.exif_metadata().ok().flatten();
    let header = Header { width, height, channels: channels(&decoder) };
    Ok(PhotoInfo::new(PhotoFormat::Webp, (width, height), exif.as_deref(), Stored::Webp(header)))
}

pub(super) fn decode(bytes: &[u8], header: &Header) -> Result<RgbPhoto, PhotoError> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(refusal)?;
    let (width, height) = (header.width, header.height);
    if decoder.dimensions() != (width, height) || channels(&decoder) != header.channels {
        return Err(broken(PhotoFormat::Webp, "its size changed between two readings"));
    }
    let channels = usize::from(header.channels);
    let mut pixels = vec![0; width as usize * height as usize * channels];
    decoder.read_image(&mut pixels).map_err(refusal)?;
    RgbPhoto::new(width, height, into_rgb(pixels, channels)).ok_or_else(|| broken(PhotoFormat::Webp, "too few pixels"))
}

fn channels(decoder: &WebPDecoder<Cursor<&[u8]>>) -> u8 {
    if decoder.has_alpha() { 4 } else { 3 }
}

/// The decoder allocates a lossy frame by the size the frame itself claims, and only then compares it with the
/// picture's. So every claim is looked at first, wherever in the file it stands.
fn check_frames_inside(bytes: &[u8], (width, height): (u32, u32)) -> Result<(), PhotoError> {
    // Four letters, the chunk's length, three bytes of frame tag, the start code, then width and height in 14 bits.
    const CHUNK: &[u8] = b"VP8 ";
    const START_CODE: &[u8] = &[0x9D, 0x01, 0x2A];
    const START_AT: usize = 4 + 4 + 3;
    const SIZE_AT: usize = START_AT + 3;
    for (position, _) in bytes.windows(CHUNK.len()).enumerate().filter(|(_, letters)| *letters == CHUNK) {
        let chunk = &bytes[position..];
        let Some(&[low_width, high_width, low_height, high_height]) = chunk.get(SIZE_AT..SIZE_AT + 4) else { continue };
        let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
        let (frame_width, frame_height) = (side(low_width, high_width), side(low_height, high_height));
        let is_frame = chunk.get(START_AT..SIZE_AT) == Some(START_CODE);
        if is_frame && (frame_width > width || frame_height > height) {
            let cause = format_args!("a frame of {frame_width} x {frame_height} in a picture of {width} x {height}");
            return Err(broken(PhotoFormat::Webp, cause));
        }
    }
    Ok(())
}

/// Chunks that make up a picture or its colours; an animation's frames hold some of them in their turn.
const KEPT: [&[u8; 4]; 7] = [b"VP8X", b"ICCP", b"ANIM", b"ANMF", b"ALPH", b"VP8 ", b"VP8L"];
/// In the flags of an extended file: it has EXIF, it has XMP.
const HAS_EXIF: u8 = 0b1000;
const HAS_XMP: u8 = 0b100;
/// What stands before the chunks of a frame: its place and its time.
const FRAME_HEADER: usize = 16;

/// The file with nothing but the chunks above. `None` where one of them is cut off.
pub(super) fn strip(bytes: &[u8], orientation: u8) -> Option<Vec<u8>> {
    let mut rest = Pieces::of(bytes);
    rest.take(4)?;
    let claimed = usize::try_from(u32::from_le_bytes(rest.take_array()?)).ok()?;
    rest.take(4)?;
    let inside = Pieces::of(&rest.rest()[..rest.rest().len().min(claimed.saturating_sub(4))]);
    let mut stripped = b"RIFF\0\0\0\0WEBP".to_vec();
    stripped.reserve(bytes.len());
    let is_extended = inside.rest().starts_with(b"VP8X");
    push_kept(&mut stripped, inside, &KEPT)?;
    if is_extended {
        // The first chunk is the flags: twelve bytes of the file, eight of the chunk's own head.
        let flags = stripped.get_mut(20)?;
        *flags &= !(HAS_EXIF | HAS_XMP);
        if orientation != 1 {
            *flags |= HAS_EXIF;
            push_chunk(&mut stripped, b"EXIF", &orientation_as_exif(orientation));
        }
    }
    let size = u32::try_from(stripped.len() - 8).ok()?;
    stripped[4..8].copy_from_slice(&size.to_le_bytes());
    Some(stripped)
}

fn push_kept(file: &mut Vec<u8>, mut chunks: Pieces<'_>, kept: &[&[u8; 4]]) -> Option<()> {
    while let Some((name, length)) = chunks.take_array().zip(chunks.take_array()) {
        let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
        let content = chunks.take(length);
        // Padding to an even length, which the last chunk of a careless file lacks.
        if length % 2 == 1 {
            chunks.byte();
        }
        if !kept.contains(&&name) {
            if content.is_none() {
                break;
            }
            continue;
        }
        let content = content?;
        if &name == b"ANMF" {
            let mut inside = Pieces::of(content);
            let mut frame = inside.take(FRAME_HEADER)?.to_vec();
            push_kept(&mut frame, inside, &[b"ALPH", b"VP8 ", b"VP8L"])?;
            push_chunk(file, &name, &frame);
        } else {
            push_chunk(file, &name, content);
        }
    }
    Some(())
}

fn push_chunk(file: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    file.extend(name);
    file.extend((content.len() as u32).to_le_bytes());
    file.extend(content);
    file.extend(std::iter::repeat_n(0, content.len() % 2));
}

fn refusal(error: DecodingError) -> PhotoError {
    match error {
        DecodingError::UnsupportedFeature(cause) => PhotoError::Unsupported { format: PhotoFormat::Webp, cause },
        DecodingError::IoError(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
            broken(PhotoFormat::Webp, ENDS_TOO_EARLY)
        }
        other => broken(PhotoFormat::Webp, other),
    }
}
