//! Colours as amounts of light, so that they mix and shade as light does.

use rand::Rng;

use crate::noise::lerp;

/// Red, green and blue light, 1 being white under full light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Color(pub [f32; 3]);

/// A colour as a stylesheet writes it, for example `0xF2B134`.
pub fn hex(code: u32) -> Color {
    let channel = |shift: u32| {
        let value = ((code >> shift) & 0xFF) as f32 / 255.0;
        value.powf(2.2)
    };
    Color([channel(16), channel(8), channel(0)])
}

impl Color {
    /// From this colour at 0 to the other at 1.
    pub fn mix(self, other: Self, share: f32) -> Self {
        let share = share.clamp(0.0, 1.0);
        Self(std::array::from_fn(|channel| lerp(self.0[channel], other.0[channel], share)))
    }

    /// Brighter or darker.
    pub fn times(self, factor: f32) -> Self {
        Self(self.0.map(|channel| channel * factor))
    }

    /// A little lighter or darker, warmer or colder: no two leaves are alike.
    pub fn varied(self, random: &mut impl Rng, amount: f32) -> Self {
        let brightness = 1.0 + amount * random.random_range(-1.0..1.0f32);
        let warmth = amount * 0.4 * random.random_range(-1.0..1.0f32);
        let [red, green, blue] = self.0;
        Self([red * brightness * (1.0 + warmth), green * brightness, blue * brightness * (1.0 - warmth)])
    }
}
