//! GIF: the first frame, on its canvas. Through `gif` itself: `image` refuses frames above 12 megapixels, and would
//! hold four bytes a pixel where one is enough.

use std::{
    io::{self, Cursor},
    num::NonZeroU64,
};

use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, MemoryLimit};
use gourmetgram_api::UploadLimits;

use super::{ENDS_TOO_EARLY, PhotoError, PhotoFormat, PhotoInfo, RgbPhoto, Stored, broken, check_size, strip::Pieces};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    width: u16,
    height: u16,
}

impl Header {
    fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// A frame of indices, which is at most as large as the canvas, and the canvas in RGB.
    pub(super) fn decoded_bytes(&self) -> u64 {
        self.pixels() * (1 + 3)
    }
}

pub(super) fn probe(bytes: &[u8], limits: &UploadLimits) -> Result<PhotoInfo, PhotoError> {
    let decoder = open(bytes, limits.max_pixels)?;
    let header = Header { width: decoder.width(), height: decoder.height() };
    let size = (header.width.into(), header.height.into());
    check_size(PhotoFormat::Gif, size, limits)?;
    Ok(PhotoInfo::new(PhotoFormat::Gif, size, None, Stored::Gif(header)))
}

pub(super) fn decode(bytes: &[u8], header: &Header) -> Result<RgbPhoto, PhotoError> {
    let damaged = |cause: &str| broken(PhotoFormat::Gif, cause);
    let mut decoder = open(bytes, header.pixels())?;
    let frame = decoder.next_frame_info().map_err(refusal)?.ok_or_else(|| damaged("it has no frame"))?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (frame_width, frame_height) = (usize::from(frame.width), usize::from(frame.height));
    let transparent = frame.transparent;
    if frame_width * frame_height == 0 || (frame_width * frame_height) as u64 > header.pixels() {
        return Err(damaged("its first frame is empty or larger than the picture"));
    }
    let mut indices = vec![0; decoder.buffer_size()];
    decoder.read_into_buffer(&mut indices).map_err(refusal)?;
    let palette = decoder.palette().map_err(refusal)?;

    let (width, height) = (usize::from(header.width), usize::from(header.height));
    // What the frame leaves open, and what is transparent, stays white.
    let mut pixels = vec![255; width * height * 3];
    let visible = frame_width.min(width.saturating_sub(left));
    let rows = indices.chunks_exact(frame_width).zip(pixels.chunks_exact_mut(width * 3).skip(top));
    for (row, canvas) in rows {
        for (index, pixel) in row.iter().take(visible).zip(canvas.chunks_exact_mut(3).skip(left)) {
            if Some(*index) == transparent {
                continue;
            }
            let colour = palette.chunks_exact(3).nth(usize::from(*index));
            pixel.copy_from_slice(colour.ok_or_else(|| damaged("a colour that is not in its palette"))?);
        }
    }
    RgbPhoto::new(header.width.into(), header.height.into(), pixels).ok_or_else(|| damaged("too few pixels"))
}

fn open(bytes: &[u8], max_pixels: u64) -> Result<Decoder<Cursor<&[u8]>>, PhotoError> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    // Besides the indices: rows and tables, which are small.
    let beside = 1 << 20;
    options.set_memory_limit(MemoryLimit::Bytes(NonZeroU64::MIN.saturating_add(max_pixels).saturating_add(beside)));
    options.read_info(Cursor::new(bytes)).map_err(refusal)
}

const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2C;
const END: u8 = 0x3B;

/// The file with nothing but its frames, how they are shown, and how often. `None` where the first frame is cut off;
/// a later one that is cut off goes.
pub(super) fn strip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Pieces::of(bytes);
    let mut stripped = Vec::with_capacity(bytes.len());
    let head = rest.take(13)?;
    stripped.extend(head);
    stripped.extend(rest.take(palette_bytes(head[10]))?);
    let mut frames = 0;
    while let Some(block) = next_block(&mut rest) {
        stripped.extend(block.kept);
        frames += usize::from(block.is_frame);
    }
    stripped.push(END);
    (frames > 0).then_some(stripped)
}

struct Block {
    kept: Vec<u8>,
    is_frame: bool,
}

/// The next block as it is kept; `None` at the end of the picture, or where the file ends.
fn next_block(rest: &mut Pieces<'_>) -> Option<Block> {
    match rest.byte()? {
        EXTENSION => {
            let label = rest.byte()?;
            let content = *rest;
            let first = sub_block(rest)?;
            let mut second = None;
            if !first.is_empty() {
                loop {
                    let next = sub_block(rest)?;
                    if next.is_empty() {
                        break;
                    }
                    second = second.or(Some(next));
                }
            }
            let kept = match (label, first, second) {
                // How the next frame is shown.
                (0xF9, [.., _], _) => {
                    let length = content.rest().len() - rest.rest().len();
                    // Longer ones are none that anybody knows.
                    let known = (length == 6).then(|| &content.rest()[..length]);
                    [&[EXTENSION, label], known.unwrap_or_default()].concat()
                }
                // How often the animation is shown: eleven letters, then the number.
                (0xFF, b"NETSCAPE2.0" | b"ANIMEXTS1.0", Some([1, low, high, ..])) => {
                    [&[EXTENSION, label, 11], first, &[3, 1, *low, *high, 0]].concat()
                }
                _ => Vec::new(),
            };
            // An extension of which nothing was kept must not leave its head behind.
            let kept = if kept.len() > 2 { kept } else { Vec::new() };
            Some(Block { kept, is_frame: false })
        }
        IMAGE => {
            let start = *rest;
            let place = rest.take(9)?;
            rest.take(palette_bytes(place[8]))?;
            rest.byte()?;
            while !sub_block(rest)?.is_empty() {}
            let length = start.rest().len() - rest.rest().len();
            Some(Block { kept: [&[IMAGE], &start.rest()[..length]].concat(), is_frame: true })
        }
        _ => None,
    }
}

fn sub_block<'a>(rest: &mut Pieces<'a>) -> Option<&'a [u8]> {
    let length = rest.byte()?;
    rest.take(length.into())
}

/// A byte of flags says whether a palette follows, and how long it is.
fn palette_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

fn refusal(error: DecodingError) -> PhotoError {
    match error {
        DecodingError::UnexpectedEof => broken(PhotoFormat::Gif, ENDS_TOO_EARLY),
        DecodingError::Io(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
            broken(PhotoFormat::Gif, ENDS_TOO_EARLY)
        }
        other => broken(PhotoFormat::Gif, other),
    }
}
