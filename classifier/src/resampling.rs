//! Photos at other sizes.
//!
//! Two ways that give the same picture: with vector instructions (`vectors`), and for a browser that has none (`plain`),
//! which refuses a module whole in which any stand, used or not.

use std::borrow::Cow;

#[cfg(any(test, all(target_arch = "wasm32", not(target_feature = "simd128"))))]
mod plain;
#[cfg(not(all(target_arch = "wasm32", not(target_feature = "simd128"))))]
mod vectors;

#[cfg(all(target_arch = "wasm32", not(target_feature = "simd128")))]
pub(crate) use plain::resampled;
#[cfg(not(all(target_arch = "wasm32", not(target_feature = "simd128"))))]
pub(crate) use vectors::resampled;

/// A photo that could not be resized. Not reachable with a checked manifest and a photo from `decode`.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the photo could not be resized: {0}")]
pub struct ResamplingError(Cow<'static, str>);

impl ResamplingError {
    pub(crate) const SIZE: Self = Self(Cow::Borrowed("there are not as many pixels as its size says"));
}

/// How pixels are weighed. Both filters grow with the scale: what is made smaller is antialiased.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Filter {
    /// What Pillow calls `BILINEAR`.
    Triangle,
    /// What Pillow calls `BICUBIC`.
    CatmullRom,
}

/// A part of a photo, in pixels; within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RgbPhoto;

    /// A photo with edges, gradients and noise.
    fn photo(width: u32, height: u32) -> RgbPhoto {
        let mut noise = 1_u32;
        let pixels = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let edge = if (x / 7 + y / 5) % 2 == 0 { 255 } else { 0 };
                [edge, (x * 255 / width) as u8, (noise >> 24) as u8]
            })
            .collect();
        RgbPhoto::new(width, height, pixels).unwrap()
    }

    #[test]
    fn without_vectors_it_is_the_same_picture() {
        let whole = |photo: &RgbPhoto| Part { left: 0, top: 0, width: photo.width(), height: photo.height() };
        let large = photo(401, 300);
        let small = photo(9, 31);
        for (photo, part, size) in [
            (&large, whole(&large), (64, 64)),
            (&large, Part { left: 50, top: 7, width: 290, height: 290 }, (64, 64)),
            (&large, whole(&large), (400, 299)),
            (&large, Part { left: 400, top: 299, width: 1, height: 1 }, (3, 2)),
            (&small, whole(&small), (64, 64)),
            (&small, whole(&small), (1, 1)),
        ] {
            for filter in [Filter::Triangle, Filter::CatmullRom] {
                let with = vectors::resampled(photo, part, size, filter).unwrap();
                let without = plain::resampled(photo, part, size, filter).unwrap();
                assert!(with == without, "{part:?} at {size:?}, {filter:?}");
            }
        }
    }
}
