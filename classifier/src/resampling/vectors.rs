use fast_image_resize::{
    FilterType, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::U8x3,
};

use super::{Filter, Part, ResamplingError};
use crate::RgbPhoto;

/// A part of `photo` at another size: `height` rows of `width` times R, G, B. First along columns, then along rows, in 8
/// bits, rounded after each.
pub(crate) fn resampled(
    photo: &RgbPhoto,
    part: Part,
    (width, height): (u32, u32),
    filter: Filter,
) -> Result<Vec<u8>, ResamplingError> {
    let failed = |error: &dyn std::error::Error| ResamplingError(error.to_string().into());
    // Of this one kind of pixels: a kind chosen at run time brings the code of all, half of a module for browsers.
    let source = TypedImageRef::<U8x3>::from_buffer(photo.width(), photo.height(), photo.pixels())
        .map_err(|error| failed(&error))?;
    let mut pixels = vec![0; width as usize * height as usize * 3];
    let mut target = TypedImage::<U8x3>::from_buffer(width, height, &mut pixels).map_err(|error| failed(&error))?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(match filter {
            Filter::Triangle => FilterType::Bilinear,
            Filter::CatmullRom => FilterType::CatmullRom,
        }))
        .crop(part.left.into(), part.top.into(), part.width.into(), part.height.into());
    Resizer::new().resize_typed(&source, &mut target, &options).map_err(|error| failed(&error))?;
    Ok(pixels)
}
