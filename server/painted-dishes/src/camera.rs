//! The phone that takes the photo, and the hand that holds it.

use image::{ExtendedColorType, codecs::jpeg::JpegEncoder};
use rand::Rng;

use crate::{
    LARGEST_FILE,
    canvas::View,
    light::{Lit, out_of_focus},
};

/// What went wrong while a photo was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Black and white.
    Gray,
    /// Far too little light.
    Dark,
    /// Out of focus, or moved.
    Blurred,
    /// The dish is half outside the picture.
    BadlyFramed,
}

impl Flaw {
    /// Most photos have none.
    pub fn draw(random: &mut impl Rng) -> Option<Self> {
        match random.random_range(0..100) {
            0..4 => Some(Self::Gray),
            4..9 => Some(Self::Dark),
            9..14 => Some(Self::Blurred),
            14..20 => Some(Self::BadlyFramed),
            _ => None,
        }
    }
}

/// Points the camera.
pub fn frame(size: (usize, usize), flaw: Option<Flaw>, random: &mut impl Rng) -> View {
    let (width, height) = (size.0 as f32, size.1 as f32);
    let shorter = width.min(height);
    let (away, near) = if flaw == Some(Flaw::BadlyFramed) { (0.45, 0.42..0.75) } else { (0.07, 0.44..0.72) };
    let mut off = || random.random_range(-away..away) * shorter;
    let middle = (width / 2.0 + off(), height / 2.0 + off());
    View {
        size,
        middle,
        radius: random.random_range(near) * shorter,
        squash: random.random_range(0.74..1.0),
        turn: random.random_range(0.0..std::f32::consts::TAU).sin_cos(),
    }
}

/// Takes the photo: focus, exposure, white balance, the sensor's noise, and a JPEG file.
pub fn take(mut lit: Lit, flaw: Option<Flaw>, random: &mut impl Rng) -> Vec<u8> {
    let blur = if flaw == Some(Flaw::Blurred) { random.random_range(6..12) } else { 0 };
    if blur > 0 {
        out_of_focus(&mut lit, blur);
    }
    let exposure =
        if flaw == Some(Flaw::Dark) { random.random_range(0.06..0.16) } else { random.random_range(0.95..1.3f32) };
    let grain = if flaw == Some(Flaw::Dark) { 0.05 } else { random.random_range(0.003..0.014) };
    let warmth = random.random_range(-0.07..0.13f32);
    let balance = [1.0 + warmth, 1.0, 1.0 - warmth];
    let (width, height) = lit.size;
    let (middle, corner) = ((width as f32 / 2.0, height as f32 / 2.0), (width as f32).hypot(height as f32) / 2.0);
    let mut bytes = Vec::with_capacity(width * height * 3);
    for (index, pixel) in lit.pixels.iter().enumerate() {
        let (x, y) = ((index % width) as f32, (index / width) as f32);
        let away = (x - middle.0).hypot(y - middle.1) / corner;
        let falloff = 1.0 - 0.28 * away * away;
        let mut seen: [f32; 3] = std::array::from_fn(|channel| {
            let light = (pixel[channel] * exposure * balance[channel] * falloff).max(0.0);
            // Film never burns out at once.
            let soft = light * (1.0 + light * 0.09) / (1.0 + light * 0.32);
            soft.powf(1.0 / 2.2)
        });
        if flaw == Some(Flaw::Gray) {
            seen = [0.3 * seen[0] + 0.59 * seen[1] + 0.11 * seen[2]; 3];
        }
        let speck = grain * (random.random::<f32>() + random.random::<f32>() - 1.0);
        bytes.extend(seen.map(|value| ((value + speck) * 255.0).round().clamp(0.0, 255.0) as u8));
    }
    for quality in [84, 76, 66, 54, 42, 30, 18] {
        if let Some(jpeg) = encode(&bytes, lit.size, quality).filter(|jpeg| jpeg.len() <= LARGEST_FILE) {
            return jpeg;
        }
    }
    encode(&bytes, lit.size, 8).unwrap_or_default()
}

fn encode(bytes: &[u8], (width, height): (usize, usize), quality: u8) -> Option<Vec<u8>> {
    let mut jpeg = Vec::with_capacity(LARGEST_FILE);
    JpegEncoder::new_with_quality(&mut jpeg, quality)
        .encode(bytes, u32::try_from(width).ok()?, u32::try_from(height).ok()?, ExtendedColorType::Rgb8)
        .ok()?;
    Some(jpeg)
}
