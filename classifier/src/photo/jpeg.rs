//! JPEG, through `jpeg-decoder`, the one pure-Rust decoder that scales while it decodes.

use std::{borrow::Cow, io};

use gourmetgram_api::UploadLimits;
use jpeg_decoder::{CodingProcess, Decoder, Error, PixelFormat};

use super::{
    ENDS_TOO_EARLY, PhotoError, PhotoFormat, PhotoInfo, RgbPhoto, Stored, broken, check_size, into_rgb,
    strip::{Pieces, orientation_as_exif},
};

/// A progressive picture has about ten scans. Each one visits every block again, so a small file with thousands of them
/// would keep a processor busy for minutes.
const MAX_SCANS: usize = 100;

/// Sampling factors are at most 4, so planes are padded to at most 4 blocks of 8 pixels.
const LARGEST_UNIT: u64 = 32;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    width: u16,
    height: u16,
    components: u8,
    /// Whether Adobe's segment is there: then, by Adobe's custom, CMYK is stored inverted.
    adobe: bool,
}

impl Header {
    /// Numerator over 8 of the scale at which it is decoded: 1, 2, 4 or 8.
    fn eighths(&self, target_side: u32) -> u32 {
        let short_side = u32::from(self.width.min(self.height));
        let enough = target_side.saturating_add(target_side / 2).max(1);
        [1, 2, 4].into_iter().find(|eighths| short_side * eighths / 8 >= enough).unwrap_or(8)
    }

    /// Width and height at that scale.
    fn scaled(&self, eighths: u32) -> (u32, u32) {
        ((u32::from(self.width) * eighths).div_ceil(8), (u32::from(self.height) * eighths).div_ceil(8))
    }

    pub(super) fn decoded_pixels(&self, target_side: u32) -> u64 {
        let (width, height) = self.scaled(self.eighths(target_side));
        u64::from(width) * u64::from(height)
    }

    /// Coefficients (two bytes each; a baseline picture may queue all of them on their way to the inverse transform),
    /// planes and interleaved pixels.
    pub(super) fn decoded_bytes(&self, target_side: u32) -> u64 {
        let components = u64::from(self.components);
        let padded = |side: u16| u64::from(side).next_multiple_of(LARGEST_UNIT);
        let stored = padded(self.width) * padded(self.height) * components;
        let eighths = u64::from(self.eighths(target_side));
        let planes = stored * eighths * eighths / 64;
        let interleaved = self.decoded_pixels(target_side) * (components + 3);
        2 * stored + planes + interleaved
    }
}

pub(super) fn probe(bytes: &[u8], limits: &UploadLimits) -> Result<PhotoInfo, PhotoError> {
    let mut decoder = Decoder::new(bytes);
    decoder.read_info().map_err(refusal)?;
    let info = decoder.info().ok_or_else(|| broken(PhotoFormat::Jpeg, "it has no frame"))?;
    check_size(PhotoFormat::Jpeg, (info.width.into(), info.height.into()), limits)?;
    if info.coding_process == CodingProcess::Lossless || info.pixel_format == PixelFormat::L16 {
        return Err(PhotoError::Unsupported { format: PhotoFormat::Jpeg, cause: "lossless JPEG".into() });
    }
    let segments = Segments::of(bytes);
    if segments.scans > MAX_SCANS {
        return Err(broken(PhotoFormat::Jpeg, format_args!("more than {MAX_SCANS} scans")));
    }
    let header = Header {
        width: info.width,
        height: info.height,
        components: info.pixel_format.pixel_bytes() as u8,
        adobe: segments.adobe,
    };
    let size = (info.width.into(), info.height.into());
    Ok(PhotoInfo::new(PhotoFormat::Jpeg, size, decoder.exif_data(), Stored::Jpeg(header)))
}

pub(super) fn decode(bytes: &[u8], header: &Header, target_side: u32) -> Result<RgbPhoto, PhotoError> {
    let mut decoder = Decoder::new(bytes);
    let eighths = header.eighths(target_side);
    let (width, height) = header.scaled(eighths);
    if eighths < 8 {
        // The decoder takes the smallest scale that reaches the wish on either side; asking for both sides of the
        // scale we want leaves it no smaller one.
        let chosen = decoder.scale(width as u16, height as u16).map_err(refusal)?;
        if (u32::from(chosen.0), u32::from(chosen.1)) != (width, height) {
            return Err(broken(PhotoFormat::Jpeg, "its size changed between two readings"));
        }
    }
    let pixels = decoder.decode().map_err(refusal)?;
    let format = decoder.info().ok_or_else(|| broken(PhotoFormat::Jpeg, "it has no frame"))?.pixel_format;
    let pixels = match format {
        PixelFormat::L8 => into_rgb(pixels, 1),
        PixelFormat::RGB24 => pixels,
        PixelFormat::CMYK32 => cmyk_into_rgb(pixels, header.adobe),
        PixelFormat::L16 => return Err(broken(PhotoFormat::Jpeg, "16 bits a sample")),
    };
    RgbPhoto::new(width, height, pixels).ok_or_else(|| broken(PhotoFormat::Jpeg, "too few pixels"))
}

/// The decoder takes CMYK as inverted (as Adobe writes it) and returns amounts of ink; without Adobe's mark the file
/// held amounts of ink, and what came back is paper left white.
fn cmyk_into_rgb(mut pixels: Vec<u8>, adobe: bool) -> Vec<u8> {
    let count = pixels.len() / 4;
    for index in 0..count {
        let white = |value: u8| u32::from(if adobe { 255 - value } else { value });
        let black = white(pixels[4 * index + 3]);
        for channel in 0..3 {
            pixels[3 * index + channel] = ((white(pixels[4 * index + channel]) * black + 127) / 255) as u8;
        }
    }
    pixels.truncate(3 * count);
    pixels
}

fn refusal(error: Error) -> PhotoError {
    match error {
        Error::Unsupported(feature) => {
            PhotoError::Unsupported { format: PhotoFormat::Jpeg, cause: format!("{feature:?}") }
        }
        Error::Format(cause) => broken(PhotoFormat::Jpeg, cause),
        Error::Io(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => broken(PhotoFormat::Jpeg, ENDS_TOO_EARLY),
        other => broken(PhotoFormat::Jpeg, other),
    }
}

const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const START_OF_SCAN: u8 = 0xDA;

/// The file with nothing but tables, frames, scans and what their colours mean, up to the end of the first image: films
/// and second pictures come behind it. `None` where it ends too early.
pub(super) fn strip(bytes: &[u8], orientation: u8) -> Option<Vec<u8>> {
    let mut stripped = Vec::with_capacity(bytes.len());
    stripped.extend([0xFF, START_OF_IMAGE]);
    let mut begun = false;
    let mut scans = 0;
    let mut rest = bytes;
    loop {
        // A file without its end is left to the decoder to judge; with an end of ours, a picture that was cut off
        // would pass for a whole one.
        let Some((marker, content, after)) = next_segment(rest) else { return (scans > 0).then_some(stripped) };
        rest = after;
        if marker == END_OF_IMAGE {
            stripped.extend([0xFF, END_OF_IMAGE]);
            return Some(stripped);
        }
        let Some(kept) = kept_of(marker, content) else { continue };
        // The mark of JFIF comes first where there is one; then the orientation.
        if !begun && marker != 0xE0 {
            begun = true;
            if orientation != 1 {
                let exif = [b"Exif\0\0".as_slice(), &orientation_as_exif(orientation)].concat();
                push_segment(&mut stripped, 0xE1, &exif);
            }
        }
        push_segment(&mut stripped, marker, &kept);
        if marker == START_OF_SCAN {
            scans += 1;
            let (scan, after) = rest.split_at(scan_length(rest));
            stripped.extend_from_slice(scan);
            rest = after;
        }
    }
}

/// The next marker with its content, and what follows; markers that have none are passed over, but for the last.
fn next_segment(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let mut rest = bytes;
    loop {
        let (marker, after) = next_marker(rest)?;
        match marker {
            END_OF_IMAGE => return Some((marker, &[], after)),
            0x01 | 0xD0..=START_OF_IMAGE => rest = after,
            _ => {
                let mut pieces = Pieces::of(after);
                let length = usize::from(u16::from_be_bytes(pieces.take_array()?));
                let content = pieces.take(length.checked_sub(2)?)?;
                return Some((marker, content, pieces.rest()));
            }
        }
    }
}

/// What stays of a segment's content.
fn kept_of(marker: u8, content: &[u8]) -> Option<Cow<'_, [u8]>> {
    match marker {
        // Frames, Huffman and quantisation tables, restarts, scans, numbers of lines.
        0xC0..=0xCF | 0xDA..=0xDF => Some(content.into()),
        // JFIF's version and density, without its thumbnail; the mark of a frame of a film.
        0xE0 if content.starts_with(b"JFIF\0") && content.len() >= 14 => {
            let mut kept = content[..14].to_vec();
            kept[12..].fill(0);
            Some(kept.into())
        }
        0xE0 if content.starts_with(b"AVI1\0") => Some(content[..content.len().min(14)].into()),
        0xE2 if content.starts_with(b"ICC_PROFILE\0") => Some(content.into()),
        0xEE if content.starts_with(b"Adobe") => Some(content[..content.len().min(12)].into()),
        _ => None,
    }
}

fn push_segment(file: &mut Vec<u8>, marker: u8, content: &[u8]) {
    let length = u16::try_from(content.len() + 2).unwrap_or(u16::MAX);
    file.extend([0xFF, marker]);
    file.extend(length.to_be_bytes());
    file.extend(content);
}

/// How long the entropy-coded data is that begins here: up to the next marker that is not part of it.
fn scan_length(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while let Some((marker, after)) = next_marker(rest) {
        if !matches!(marker, 0xD0..=0xD7) {
            return bytes.len() - after.len() - 2;
        }
        rest = after;
    }
    bytes.len()
}

/// What a walk over the file's markers finds; it stops where the file does.
#[derive(Debug, Default, PartialEq, Eq)]
struct Segments {
    scans: usize,
    adobe: bool,
}

impl Segments {
    fn of(bytes: &[u8]) -> Self {
        const APP14: u8 = 0xEE;

        let mut found = Self::default();
        let mut rest = bytes;
        while let Some((marker, after)) = next_marker(rest) {
            rest = after;
            match marker {
                END_OF_IMAGE => break,
                // Markers without a length: TEM, RST0 to RST7, SOI.
                0x01 | 0xD0..=0xD8 => continue,
                START_OF_SCAN => found.scans += 1,
                APP14 if rest.get(2..7) == Some(b"Adobe") => found.adobe = true,
                _ => {}
            }
            let Some(length) = rest.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length))) else { break };
            let Some(after) = rest.get(length.max(2)..) else { break };
            rest = after;
        }
        found
    }
}

/// The next marker and what follows it. Skips stuffed bytes (`FF 00`) and filling (`FF FF`), so it also finds its way
/// out of entropy-coded data.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let mut rest = bytes;
    loop {
        let position = rest.iter().position(|&byte| byte == 0xFF)?;
        rest = rest.get(position + 1..)?;
        match rest.first()? {
            0x00 => rest = rest.get(1..)?,
            0xFF => {}
            &marker => return Some((marker, rest.get(1..)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(width: u16, height: u16) -> Header {
        Header { width, height, components: 3, adobe: false }
    }

    #[test]
    fn a_large_photo_is_scaled_but_keeps_half_as_much_again_as_it_needs() {
        assert_eq!(header(4000, 3000).eighths(64), 1);
        assert_eq!(header(640, 480).eighths(64), 2);
        assert_eq!(header(4000, 2400).eighths(224), 2);
        assert_eq!(header(1000, 1000).eighths(224), 4);
        assert_eq!(header(660, 660).eighths(224), 8);
        // The short side decides, not the long one.
        assert_eq!(header(65_000, 100).eighths(224), 8);
        assert_eq!(header(1, 1).eighths(0), 8);
    }

    #[test]
    fn scaling_saves_memory_but_coefficients_stay() {
        let photo = header(4000, 3000);
        let pixels = 4000 * 3008;
        assert!(photo.decoded_bytes(64) >= 2 * 3 * pixels);
        assert!(photo.decoded_bytes(64) < photo.decoded_bytes(4000));
    }

    #[test]
    fn scans_are_counted_up_to_the_end_of_the_image() {
        let scan = [0xFF, 0xDA, 0, 3, 1, 0x12, 0xFF, 0x00, 0x34, 0xFF, 0xD0, 0x56];
        let mut file = vec![0xFF, 0xD8, 0xFF, 0xEE, 0, 7, b'A', b'd', b'o', b'b', b'e'];
        file.extend(scan.repeat(3));
        assert_eq!(Segments::of(&file), Segments { scans: 3, adobe: true });
        file.extend([0xFF, 0xD9]);
        file.extend(scan);
        assert_eq!(Segments::of(&file).scans, 3);
    }
}
