//! From an upright photo to the tensor a backbone takes.

use serde::{Deserialize, Serialize};

use crate::resampling::{Filter, Part, resampled};
use crate::{Input, Layout, ResamplingError, RgbPhoto};

/// How a photo of any shape fills the model's input. It must be the rule the model was trained with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResizeRule {
    /// The largest centred part with the input's proportions is kept and resized; what sticks out is lost.
    CenterSquare,
    /// The whole photo is resized, its proportions are lost.
    Stretch,
}

/// The steps from pixels to tensor: crop, resize, scale to 0..1, normalise, lay out.
///
/// The resize is an antialiased (support grows with the scale) triangle filter in 8 bits, rounded after each of its two
/// passes: what Pillow calls `BILINEAR`, and what the models were trained with.
#[derive(Clone, Debug)]
pub struct Preprocessing<'a> {
    input: &'a Input,
}

impl<'a> Preprocessing<'a> {
    /// For a model's `input`.
    pub fn new(input: &'a Input) -> Self {
        Self { input }
    }

    /// The tensor of `photo`, in the manifest's layout, `(value / 255 - mean) / std` for each channel.
    ///
    /// # Errors
    /// [`ResamplingError`], if the resize fails.
    pub fn tensor(&self, photo: &RgbPhoto) -> Result<Vec<f32>, ResamplingError> {
        let pixels = self.resized(photo)?;
        let Input { mean, std, layout, .. } = self.input;
        let normalise = |channel: usize, value: u8| (f32::from(value) / 255.0 - mean[channel]) / std[channel];
        Ok(match layout {
            Layout::Nchw => (0..3)
                .flat_map(|channel| pixels.iter().skip(channel).step_by(3).map(move |&value| (channel, value)))
                .map(|(channel, value)| normalise(channel, value))
                .collect(),
            Layout::Nhwc => pixels.iter().enumerate().map(|(index, &value)| normalise(index % 3, value)).collect(),
        })
    }

    /// The photo at the input's size: `height` rows of `width` times R, G, B.
    fn resized(&self, photo: &RgbPhoto) -> Result<Vec<u8>, ResamplingError> {
        let size = (self.input.width, self.input.height);
        resampled(photo, self.kept(photo.width(), photo.height()), size, Filter::Triangle)
    }

    /// The part of a photo that is kept.
    fn kept(&self, width: u32, height: u32) -> Part {
        if self.input.resize == ResizeRule::Stretch {
            return Part { left: 0, top: 0, width, height };
        }
        let fitting = |side: u32, of: u32, to: u32| (u64::from(side) * u64::from(of) / u64::from(to).max(1)) as u32;
        let kept_width = fitting(height, self.input.width, self.input.height).clamp(1, width);
        let kept_height = fitting(width, self.input.height, self.input.width).clamp(1, height);
        Part { left: (width - kept_width) / 2, top: (height - kept_height) / 2, width: kept_width, height: kept_height }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(width: u32, height: u32, resize: ResizeRule) -> Input {
        Input { width, height, layout: Layout::Nchw, mean: [0.0; 3], std: [1.0; 3], resize }
    }

    #[test]
    fn the_centre_square_is_centred_and_square() {
        let square = input(64, 64, ResizeRule::CenterSquare);
        let kept = |width, height| Preprocessing::new(&square).kept(width, height);
        assert_eq!(kept(400, 300), Part { left: 50, top: 0, width: 300, height: 300 });
        assert_eq!(kept(300, 401), Part { left: 0, top: 50, width: 300, height: 300 });
        assert_eq!(kept(1, 65_000), Part { left: 0, top: 32_499, width: 1, height: 1 });
    }

    #[test]
    fn an_oblong_input_keeps_its_own_proportions() {
        let wide = input(64, 32, ResizeRule::CenterSquare);
        assert_eq!(Preprocessing::new(&wide).kept(400, 400), Part { left: 0, top: 100, width: 400, height: 200 });
        assert_eq!(Preprocessing::new(&wide).kept(400, 100), Part { left: 100, top: 0, width: 200, height: 100 });
    }

    #[test]
    fn stretching_keeps_everything() {
        let stretch = input(64, 64, ResizeRule::Stretch);
        assert_eq!(Preprocessing::new(&stretch).kept(400, 300), Part { left: 0, top: 0, width: 400, height: 300 });
    }

    #[test]
    fn channels_are_normalised_and_laid_out_as_the_manifest_says() {
        // Two pixels: red 255 and blue 51.
        let photo = RgbPhoto::new(2, 1, vec![255, 0, 0, 0, 0, 51]).unwrap();
        let mut input = input(2, 1, ResizeRule::Stretch);
        input.mean = [0.5, 0.0, 0.0];
        input.std = [0.5, 1.0, 0.1];
        let planes = Preprocessing::new(&input).tensor(&photo).unwrap();
        assert_eq!(planes, [1.0, -1.0, 0.0, 0.0, 0.0, 2.0]);
        input.layout = Layout::Nhwc;
        let interleaved = Preprocessing::new(&input).tensor(&photo).unwrap();
        assert_eq!(interleaved, [1.0, 0.0, 0.0, -1.0, 0.0, 2.0]);
    }

    #[test]
    fn shrinking_is_antialiased() {
        // A checkerboard of single pixels averages to gray; picking pixels would give black or white.
        let pixels = (0..256 * 256).flat_map(|index| [255 * ((index % 256 + index / 256) % 2) as u8; 3]).collect();
        let photo = RgbPhoto::new(256, 256, pixels).unwrap();
        let input = input(16, 16, ResizeRule::Stretch);
        let tensor = Preprocessing::new(&input).tensor(&photo).unwrap();
        assert!(tensor.iter().all(|value| (0.45..0.55).contains(value)), "{tensor:?}");
    }
}
