use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer, images};

use super::{Filter, Part, ResamplingError};
use crate::RgbPhoto;

pub(super) fn resampled(
    photo: &RgbPhoto,
    part: Part,
    (width, height): (u32, u32),
    filter: Filter,
) -> Result<Vec<u8>, ResamplingError> {
    let failed = |error: &dyn std::error::Error| ResamplingError(error.to_string().into());
    let source = images::ImageRef::new(photo.width(), photo.height(), photo.pixels(), PixelType::U8x3)
        .map_err(|error| failed(&error))?;
    let mut target = images::Image::new(width, height, PixelType::U8x3);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(match filter {
            Filter::Triangle => FilterType::Bilinear,
            Filter::CatmullRom => FilterType::CatmullRom,
        }))
        .crop(part.left.into(), part.top.into(), part.width.into(), part.height.into());
    Resizer::new().resize(&source, &mut target, &options).map_err(|error| failed(&error))?;
    Ok(target.into_vec())
}
