//! Small pictures of photos.

use crate::RgbPhoto;
use crate::resampling::{Filter, Part, ResamplingError, resampled};

impl RgbPhoto {
    /// The whole photo with its longer side at most `longest` pixels, its proportions kept as far as whole pixels allow.
    /// A photo that is small enough stays as it is. Antialiased.
    ///
    /// # Errors
    /// [`ResamplingError`], if the resize fails.
    pub fn shrunk(self, longest: u32) -> Result<Self, ResamplingError> {
        let (width, height) = fitting((self.width(), self.height()), longest.max(1));
        if (width, height) == (self.width(), self.height()) {
            return Ok(self);
        }
        let whole = Part { left: 0, top: 0, width: self.width(), height: self.height() };
        let pixels = resampled(&self, whole, (width, height), Filter::CatmullRom)?;
        Self::new(width, height, pixels).ok_or(ResamplingError::SIZE)
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
