//! Salad and fruit.

use rand::{Rng, seq::IndexedRandom};

use super::{any_angle, around, heap, leaf, somewhere, sprinkle};
use crate::{
    canvas::{Canvas, Place, Profile, Stuff},
    color::hex,
    noise::{rough, step},
    table,
};

/// A heap of leaves with tomatoes, cucumber, radish, feta.
pub fn salad(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let greens = [0x3E7A2A, 0x6FA83C, 0x9CC45A, 0x2F5F2A, 0x7A2F4A];
    for index in 0..random.random_range(70..110) {
        let place = somewhere(random, 0.6);
        let level = heap(place, 0.7, 0.22) * (0.3 + 0.7 * index as f32 / 110.0);
        let green = hex(*greens.choose(random).unwrap_or(&0x6FA83C)).varied(random, 0.25);
        let size = random.random_range(0.09..0.19);
        leaf(canvas, random, place, size, level, green);
    }
    let extras = random.random_range(0..3);
    for _ in 0..random.random_range(8..16) {
        let place = somewhere(random, 0.52);
        let level = heap(place, 0.7, 0.22) + 0.03;
        match (extras + random.random_range(0..2)) % 3 {
            0 => tomato(canvas, random, place, level),
            1 => cucumber(canvas, random, place, level),
            _ => {
                let cube = Stuff::new(level, 0.09, Profile::Slab(0.2)).gloss(0.15).bumps(0.02, 20.0);
                canvas.slab(place, (0.07, 0.06), 0.012, any_angle(random), cube, |_| hex(0xFBF8EE));
            }
        }
    }
    sprinkle(canvas, random, &[0xEBDDB5, 0x2A211A], 40, 0.5, 0.27);
}

fn tomato(canvas: &mut Canvas, random: &mut impl Rng, place: Place, level: f32) {
    let red = hex(0xD2311F).varied(random, 0.12);
    if random.random_bool(0.5) {
        let whole = Stuff::new(level, 0.16, Profile::Dome).gloss(0.85);
        canvas.ellipse(place, (0.1, 0.095), any_angle(random), 0.0, whole, |_| red);
    } else {
        let slice = Stuff::new(level, 0.04, Profile::Slab(0.2)).gloss(0.7);
        canvas.ellipse(place, (0.12, 0.115), any_angle(random), 0.03, slice, |spot| {
            let chamber = (spot.local.1.atan2(spot.local.0) * 2.5).sin().abs();
            let seeds = step(0.35, 0.6, chamber) * step(0.28, 0.4, spot.inward) * (1.0 - step(0.75, 0.9, spot.inward));
            red.mix(hex(0xE87A3A), 0.8 * seeds)
        });
    }
}

fn cucumber(canvas: &mut Canvas, random: &mut impl Rng, place: Place, level: f32) {
    let slice = Stuff::new(level, 0.035, Profile::Slab(0.2)).gloss(0.6);
    canvas.ellipse(place, (0.11, 0.11), any_angle(random), 0.0, slice, |spot| {
        let seeds = (spot.local.1.atan2(spot.local.0) * 7.0).cos() * step(0.3, 0.5, spot.inward);
        let flesh = hex(0xD8E8A8).mix(hex(0xF2F4D0), 0.5 + 0.5 * seeds);
        hex(0x2F6A2A).mix(flesh, step(0.08, 0.14, spot.inward))
    });
}

/// Whole and cut fruit.
pub fn fruit(canvas: &mut Canvas, random: &mut impl Rng) {
    let base = if random.random_bool(0.5) {
        table::plate(canvas, random);
        table::FLOOR
    } else {
        table::bowl(canvas, random).1
    };
    let seed = canvas.seed;
    let count = random.random_range(5..8);
    for (place, _) in around(random, count, 0.4, 0.05).into_iter().chain([((0.0, 0.0), 0.0)]) {
        let skin = *[0xC8281E, 0xE98A1C, 0xB9C63A, 0xE6C93A, 0x8E1F3C, 0xE0563A].choose(random).unwrap_or(&0xC8281E);
        let (skin, second) = (hex(skin), hex(0xE9C94A));
        let size = random.random_range(0.19..0.26);
        let citrus = random.random_bool(0.3);
        let bumps = if citrus { (0.012, 60.0) } else { (0.0, 1.0) };
        let ball = Stuff::new(base + 0.02, size * 1.15, Profile::Dome).gloss(0.7).bumps(bumps.0, bumps.1);
        canvas.ellipse(place, (size, size * 0.97), any_angle(random), 0.02, ball, |spot| {
            let blush = rough(seed, spot.place.0 * 3.0, spot.place.1 * 3.0, 4);
            skin.mix(second, if citrus { 0.0 } else { blush * 0.9 - 0.25 })
        });
        let stalk = Stuff::new(base + size * 1.12, 0.05, Profile::Dome);
        canvas.strand(&[place, (place.0 + 0.035, place.1 - 0.05)], 0.01, stalk, |_| hex(0x4A3320));
    }
    for _ in 0..random.random_range(0..14) {
        let place = somewhere(random, 0.62);
        let grape = *[0x5A2450, 0xA4BF4A, 0x2F3A6E].choose(random).unwrap_or(&0x5A2450);
        let stuff = Stuff::new(base + 0.06, 0.12, Profile::Dome).gloss(0.7);
        canvas.ellipse(place, (0.075, 0.07), any_angle(random), 0.0, stuff, |_| hex(grape));
    }
    if random.random_bool(0.5) {
        leaf(canvas, random, (0.15, -0.1), 0.14, base + 0.3, hex(0x4C8F3A));
    }
}
