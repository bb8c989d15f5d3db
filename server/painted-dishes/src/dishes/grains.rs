//! Pasta and rice.

use rand::{Rng, seq::IndexedRandom};

use super::{any_angle, around, clouded, heap, leaf, somewhere, sprinkle};
use crate::{
    canvas::{Canvas, Place, Profile, Stuff},
    color::{Color, hex},
    noise::{rough, step},
    table,
};

/// Spaghetti with sauce, or noodles without.
pub fn spaghetti(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let seed = canvas.seed;
    let dough = hex(*[0xEFCF7A, 0xE2B65C, 0xF3DFA4].choose(random).unwrap_or(&0xEFCF7A));
    let thickness = random.random_range(0.016..0.03);
    for index in 0..150 {
        let share = index as f32 / 150.0;
        let (mut place, mut heading) = (somewhere(random, 0.56 * (1.1 - 0.5 * share)), any_angle(random));
        let bend = random.random_range(-0.5..0.5f32);
        let mut path: Vec<Place> = Vec::new();
        for _ in 0..random.random_range(9..18) {
            path.push(place);
            let away = place.0.hypot(place.1);
            if away > 0.58 {
                heading = (-place.1).atan2(-place.0) + random.random_range(-0.8..0.8);
            }
            heading += bend * 0.5 + random.random_range(-0.25..0.25);
            place = (place.0 + heading.cos() * 0.07, place.1 + heading.sin() * 0.07);
        }
        let middle = path[path.len() / 2];
        let level = heap(middle, 0.72, 0.26) * (0.35 + 0.65 * share);
        let color = dough.varied(random, 0.12);
        canvas.strand(&path, thickness, Stuff::new(level, thickness * 1.6, Profile::Dome).gloss(0.55), |_| color);
    }
    if random.random_bool(0.7) {
        let sauce = hex(*[0xB5301A, 0x8E2A16, 0x5F8A35].choose(random).unwrap_or(&0xB5301A));
        let stuff = Stuff::new(0.27, 0.06, Profile::Slab(0.5)).gloss(0.6).bumps(0.09, 12.0);
        canvas.ellipse(
            (0.0, 0.0),
            (0.32, 0.28),
            any_angle(random),
            0.35,
            stuff,
            clouded(seed, sauce, sauce.times(0.55), 11.0),
        );
        for _ in 0..random.random_range(0..6) {
            let place = somewhere(random, 0.26);
            let ball = Stuff::new(0.29, 0.16, Profile::Dome).gloss(0.35).bumps(0.05, 22.0);
            canvas.ellipse(place, (0.1, 0.095), 0.0, 0.08, ball, clouded(seed, hex(0x6B3A20), hex(0x40200F), 14.0));
        }
        leaf(canvas, random, (0.02, 0.0), 0.12, 0.42, hex(0x3F8F34));
    } else {
        sprinkle(canvas, random, &[0x4E8A35, 0x7FB04A, 0xC8452F], 110, 0.5, 0.30);
    }
}

/// Ravioli, or squares of filled pasta.
pub fn ravioli(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let seed = canvas.seed;
    let sauce = hex(*[0xC2401F, 0xE9D9A8, 0xD98E3A].choose(random).unwrap_or(&0xC2401F));
    let pool = Stuff::new(0.024, 0.02, Profile::Slab(0.2)).gloss(0.7).bumps(0.015, 9.0);
    canvas.ellipse((0.0, 0.0), (0.64, 0.6), any_angle(random), 0.08, pool, clouded(seed, sauce, sauce.times(0.8), 6.0));
    for index in 0..random.random_range(10..16) {
        let place = somewhere(random, 0.48);
        let dough = hex(0xEFCB78).varied(random, 0.1);
        let (angle, level) = (any_angle(random), 0.04 + 0.012 * index as f32);
        let flat = Stuff::new(level, 0.03, Profile::Slab(0.2)).gloss(0.35);
        canvas.slab(place, (0.15, 0.15), 0.02, angle, flat, |spot| {
            let teeth = (spot.local.0 * 130.0).sin() * (spot.local.1 * 130.0).sin();
            dough.times(0.86 + 0.1 * teeth * (1.0 - step(0.0, 0.15, spot.inward)))
        });
        let pillow = Stuff::new(level + 0.028, 0.09, Profile::Dome).gloss(0.5);
        canvas.slab(place, (0.105, 0.105), 0.06, angle, pillow, |_| dough);
    }
    sprinkle(canvas, random, &[0xFBF3DC, 0x3F8F34], 80, 0.5, 0.22);
}

fn grains(canvas: &mut Canvas, random: &mut impl Rng, base: Color, radius: f32, height: f32, count: usize) {
    for index in 0..count {
        let place = somewhere(random, radius);
        let level = heap(place, radius * 1.06, height) - 0.05 + 0.055 * index as f32 / count as f32;
        let color = base.varied(random, 0.09);
        let stuff = Stuff::new(level, 0.022, Profile::Dome).gloss(0.35);
        canvas.ellipse(place, (random.random_range(0.026..0.036), 0.0125), any_angle(random), 0.0, stuff, |_| color);
    }
}

fn ground(canvas: &mut Canvas, base: Color, radius: f32, height: f32) {
    let stuff = Stuff::new(table::FLOOR, height * 0.9, Profile::Dome).bumps(0.02, 30.0);
    canvas.ellipse((0.0, 0.0), (radius, radius), 0.0, 0.06, stuff, |_| base.times(0.7));
}

/// A mound of white rice with something on it.
pub fn rice(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let white = hex(0xF6F2E6);
    ground(canvas, white, 0.6, 0.3);
    grains(canvas, random, white, 0.6, 0.3, 2600);
    let pepper = random.random_range(10..60);
    sprinkle(canvas, random, &[0x2A211A, 0x4E8A35], pepper, 0.4, 0.33);
    if random.random_bool(0.5) {
        leaf(canvas, random, (0.05, 0.0), 0.11, 0.36, hex(0x3F8F34));
    }
}

/// Rice fried with vegetables and egg.
pub fn fried_rice(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let brown = hex(*[0xE0BC7A, 0xD3A55C, 0xEFD9A6].choose(random).unwrap_or(&0xE0BC7A));
    ground(canvas, brown, 0.66, 0.22);
    grains(canvas, random, brown, 0.66, 0.22, 2300);
    pieces(canvas, random, 0.58, 0.22);
}

fn pieces(canvas: &mut Canvas, random: &mut impl Rng, radius: f32, height: f32) {
    for _ in 0..random.random_range(50..90) {
        let place = somewhere(random, radius);
        let level = heap(place, radius * 1.15, height) - 0.01;
        match random.random_range(0..4) {
            0 | 1 => {
                let pea = Stuff::new(level, 0.055, Profile::Dome).gloss(0.4);
                let green = hex(0x5F9E2F).varied(random, 0.15);
                canvas.ellipse(place, (0.033, 0.031), 0.0, 0.0, pea, |_| green);
            }
            2 => {
                let cube = Stuff::new(level, 0.05, Profile::Slab(0.4)).gloss(0.3);
                let orange = hex(0xE2701E).varied(random, 0.12);
                canvas.slab(place, (0.032, 0.028), 0.008, any_angle(random), cube, |_| orange);
            }
            _ => {
                let egg = Stuff::new(level, 0.05, Profile::Dome).gloss(0.3).bumps(0.03, 20.0);
                let yellow = hex(0xF3C845).varied(random, 0.1);
                canvas.ellipse(place, (0.06, 0.035), any_angle(random), 0.3, egg, |_| yellow);
            }
        }
    }
}

/// Yellow rice in a wide dish, with prawns, peas and peppers.
pub fn paella(canvas: &mut Canvas, random: &mut impl Rng) {
    let pan = Stuff::new(-0.05, 0.14, Profile::Slab(0.06)).gloss(0.7);
    canvas.ellipse((0.0, 0.0), (1.0, 1.0), 0.0, 0.0, pan, |_| hex(0x35363A));
    canvas.hollow(0.95, 0.9, 0.03, hex(0x202124));
    let seed = canvas.seed;
    let yellow = hex(0xE9B23A);
    let bed = Stuff::new(0.03, 0.03, Profile::Slab(0.2)).bumps(0.05, 9.0);
    canvas.ellipse((0.0, 0.0), (0.88, 0.88), 0.0, 0.03, bed, |spot| {
        yellow.times(0.6 + 0.3 * rough(seed, spot.place.0 * 8.0, spot.place.1 * 8.0, 3))
    });
    for _ in 0..3200 {
        let place = somewhere(random, 0.85);
        let color = yellow.varied(random, 0.16);
        let stuff = Stuff::new(random.random_range(0.05..0.075), 0.022, Profile::Dome).gloss(0.35);
        canvas.ellipse(place, (0.03, 0.013), any_angle(random), 0.0, stuff, |_| color);
    }
    pieces(canvas, random, 0.8, 0.08);
    for (place, angle) in around(random, 5, 0.48, 0.06) {
        super::sea::prawn(canvas, random, place, angle, 0.1, 0.9);
    }
    for (place, angle) in around(random, 7, 0.68, 0.03) {
        let strip = Stuff::new(0.09, 0.05, Profile::Dome).gloss(0.6);
        canvas.slab(place, (0.16, 0.03), 0.03, angle + 0.4, strip, |_| hex(0xC3271B));
    }
}
