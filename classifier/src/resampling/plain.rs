use resize::{Pixel, Type};
use rgb::FromSlice;

use super::{Filter, Part, ResamplingError};
use crate::RgbPhoto;

pub(super) fn resampled(
    photo: &RgbPhoto,
    part: Part,
    (width, height): (u32, u32),
    filter: Filter,
) -> Result<Vec<u8>, ResamplingError> {
    let size = |of: u32| of as usize;
    let stride = size(photo.width());
    let begin = size(part.top) * stride + size(part.left);
    let source = photo.pixels().as_rgb().get(begin..).unwrap_or_default();
    // In one go it would be rounded once, and be another picture.
    let rows = scaled(source, stride, (part.width, part.height), (width, part.height), filter)?;
    scaled(rows.as_rgb(), size(width), (width, part.height), (width, height), filter)
}

/// Scales `from` pixels, whose rows begin `stride` pixels apart, `to` others.
fn scaled(
    source: &[rgb::RGB8],
    stride: usize,
    from: (u32, u32),
    to: (u32, u32),
    filter: Filter,
) -> Result<Vec<u8>, ResamplingError> {
    let failed = |error: resize::Error| ResamplingError(error.to_string().into());
    let filter = match filter {
        Filter::Triangle => Type::Triangle,
        Filter::CatmullRom => Type::Catrom,
    };
    let [from_width, from_height, width, height] = [from.0, from.1, to.0, to.1].map(|side| side as usize);
    let mut target = vec![0; width * height * 3];
    resize::new(from_width, from_height, width, height, Pixel::RGB8, filter)
        .map_err(failed)?
        .resize_stride(source, stride, target.as_rgb_mut())
        .map_err(failed)?;
    Ok(target)
}
