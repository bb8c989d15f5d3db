//! GIF: the first frame, on its canvas. Through `gif` itself: `image` refuses frames above 12 megapixels, and would
//! hold four bytes a pixel where one is enough.

use std::{io::Cursor, num::NonZeroU64};

use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, MemoryLimit};
use gourmetgram_api::UploadLimits;

use super::{PhotoError, PhotoFormat, PhotoInfo, RgbPhoto, Stored, broken, check_size};

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
    options.set_memory_limit(MemoryLimit::Bytes(NonZeroU64::MIN.saturating_add(max_pixels + beside)));
    options.read_info(Cursor::new(bytes)).map_err(refusal)
}

fn refusal(error: DecodingError) -> PhotoError {
    broken(PhotoFormat::Gif, error)
}
