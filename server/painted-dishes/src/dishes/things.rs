//! What people photograph by mistake.

use rand::{Rng, seq::IndexedRandom};

use super::{any_angle, somewhere};
use crate::{
    canvas::{Canvas, Profile, Stuff},
    color::hex,
    noise::{rough, step},
};

/// A keyboard, a notebook, pens.
pub fn desk(canvas: &mut Canvas, random: &mut impl Rng) {
    let angle = random.random_range(-0.2..0.2f32);
    let body = Stuff::new(-0.06, 0.06, Profile::Slab(0.1)).gloss(0.3);
    let dark = hex(*[0x2B2D31, 0xD9DBDE].choose(random).unwrap_or(&0x2B2D31));
    canvas.slab((0.0, -0.35), (1.0, 0.36), 0.05, angle, body, |_| dark);
    for row in 0..4 {
        for column in 0..12 {
            let (right, down) = (-0.86 + 0.156 * column as f32, -0.24 + 0.16 * row as f32);
            let place = (right * angle.cos() - down * angle.sin(), right * angle.sin() + down * angle.cos() - 0.35);
            let key = Stuff::new(0.0, 0.03, Profile::Slab(0.3)).gloss(0.2);
            canvas.slab(place, (0.064, 0.064), 0.015, angle, key, |_| dark.mix(hex(0x808488), 0.25));
        }
    }
    let paper = Stuff::new(-0.05, 0.05, Profile::Slab(0.05)).gloss(0.1);
    canvas.slab((-0.35, 0.55), (0.5, 0.4), 0.02, angle + 0.2, paper, |spot| {
        let line = step(0.9, 1.0, (spot.local.1 * 62.0).sin());
        hex(0xF7F4EA).mix(hex(0x8FA8C8), 0.6 * line)
    });
    for _ in 0..random.random_range(1..4) {
        let ink = hex(*[0x1F4E9C, 0xB8322E, 0x222222, 0xE0A020].choose(random).unwrap_or(&0x222222));
        let pen = Stuff::new(0.01, 0.05, Profile::Dome).gloss(0.7);
        canvas.slab(somewhere(random, 0.9), (0.34, 0.028), 0.028, any_angle(random), pen, |spot| {
            if spot.local.0 > 0.24 { ink.times(0.4) } else { ink }
        });
    }
}

/// Hills under a sky.
pub fn window(canvas: &mut Canvas, random: &mut impl Rng) {
    let seed = canvas.seed;
    canvas.view.turn = (0.0, 1.0);
    canvas.view.squash = 1.0;
    let (high, low) = (hex(0x4F8FCB), hex(0xF1D9B4));
    let green = hex(*[0x4E7A35, 0x7A6A35, 0x35554A].choose(random).unwrap_or(&0x4E7A35));
    canvas.cover(|(u, v)| {
        let cloud = step(0.5, 0.75, rough(seed, u * 1.6, v * 4.0, 5));
        let mut color = high.mix(low, (v + 1.2) / 1.6).mix(hex(0xFFFFFF), 0.8 * cloud);
        for hill in 0..3 {
            let ridge = 0.1 + 0.28 * hill as f32 - 0.5 * rough(seed ^ hill as u32, u * (1.0 + hill as f32), 3.0, 4);
            let texture = rough(seed ^ 40, u * 14.0, v * 26.0, 4);
            let haze = green.mix(low, 0.55 - 0.25 * hill as f32).times(0.65 + 0.6 * texture);
            color = color.mix(haze, step(ridge, ridge + 0.012, v));
        }
        (color, 0.0, 0.0)
    });
}
