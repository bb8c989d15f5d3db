//! Small pictures of photos.

use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeError, ResizeOptions, Resizer, images};

use crate::{PreprocessingError, RgbPhoto};

impl RgbPhoto {
    /// The whole photo with its longer side at most `longest` pixels, its proportions kept as far as whole pixels allow.
    /// A photo that is small enough stays as it is. Antialiased.
    ///
    /// # Errors
    /// [`PreprocessingError`], if the resize fails.
    pub fn shrunk(self, longest: u32) -> Result<Self, PreprocessingError> {
        let (width, height) = fitting((self.width(), self.height()), longest.max(1));
        if (width, height) == (self.width(), self.height()) {
            return Ok(self);
        }
        let source = images::ImageRef::new(self.width(), self.height(), self.pixels(), PixelType::U8x3)
            .map_err(|_| ResizeError::PixelTypesAreDifferent)?;
        let mut target = images::Image::new(width, height, PixelType::U8x3);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
        Resizer::new().resize(&source, &mut target, &options)?;
        let shrunk = Self::new(width, height, target.into_vec());
        Ok(shrunk.ok_or(ResizeError::PixelTypesAreDifferent)?)
    }
}

/// The size of a picture that fits into a square of `longest`; at least one pixel each way.
fn fitting((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= longest {
        return (width, height);
    }
    let scaled = |side: u32| {
        let rounded = (u64::from(side) * u64::from(longest) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(rounded).unwrap_or(longest).clamp(1, longest)
    };
    (scaled(width), scaled(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shrunk_photo_keeps_its_proportions_and_is_never_enlarged() {
        assert_eq!(fitting((4000, 3000), 256), (256, 192));
        assert_eq!(fitting((3000, 4000), 96), (72, 96));
        assert_eq!(fitting((100, 50), 256), (100, 50));
        assert_eq!(fitting((65_000, 1), 512), (512, 1));
        let photo = RgbPhoto::new(30, 20, vec![7; 30 * 20 * 3]).unwrap();
        let shrunk = photo.clone().shrunk(10).unwrap();
        assert_eq!((shrunk.width(), shrunk.height()), (10, 7));
        assert!(shrunk.pixels().iter().all(|&value| value == 7));
        assert_eq!(photo.clone().shrunk(30).unwrap(), photo);
    }
}
