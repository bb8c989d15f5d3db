//! Meat and eggs.

use rand::{Rng, seq::IndexedRandom};

use super::{any_angle, around, clouded, leaf, somewhere, sprinkle};
use crate::{
    canvas::{Canvas, Profile, Stuff},
    color::hex,
    noise::{rough, step},
    table,
};

/// Fried eggs, with toast or bacon beside them.
pub fn fried_eggs(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let seed = canvas.seed;
    let count = random.random_range(1..4);
    if random.random_bool(0.5) {
        for index in 0..3 {
            let v = 0.42 + 0.1 * index as f32;
            let strip: Vec<_> =
                (0..14).map(|at| (-0.45 + 0.07 * at as f32, v + 0.025 * (at as f32 * 1.3).sin())).collect();
            let stuff = Stuff::new(0.03, 0.045, Profile::Slab(0.3)).gloss(0.5).bumps(0.04, 14.0);
            canvas.strand(&strip, 0.045, stuff, clouded(seed, hex(0x8E2F20), hex(0xE8A98C), 9.0));
        }
    }
    let radius = if count == 1 { 0.0 } else { 0.3 };
    for (place, _) in around(random, count, radius, 0.04) {
        let size = random.random_range(0.27..0.37);
        let white = Stuff::new(0.03, 0.035, Profile::Slab(0.25)).gloss(0.55).bumps(0.03, 7.0);
        canvas.ellipse(place, (size, size * 0.9), any_angle(random), 0.28, white, |spot| {
            hex(0xC98A45).mix(hex(0xFDFBF4), step(0.0, 0.16, spot.inward + 0.07))
        });
        let middle = (place.0 + random.random_range(-0.05..0.05), place.1 + random.random_range(-0.05..0.05));
        let yolk = hex(*[0xF7A81B, 0xF9BE2C, 0xEF8E12].choose(random).unwrap_or(&0xF7A81B));
        let dome = Stuff::new(0.055, 0.10, Profile::Dome).gloss(0.85);
        canvas.ellipse(middle, (0.125, 0.12), 0.0, 0.04, dome, |_| yolk);
    }
    sprinkle(canvas, random, &[0x2A211A, 0x4D3B28], 70, 0.6, 0.06);
    let herbs = random.random_range(0..40);
    sprinkle(canvas, random, &[0x4E8A35, 0x6FA944], herbs, 0.6, 0.07);
}

/// Boiled eggs, halved.
pub fn boiled_eggs(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    for _ in 0..random.random_range(4..12) {
        let place = somewhere(random, 0.6);
        let green = hex(0x5C9A3C).varied(random, 0.2);
        leaf(canvas, random, place, 0.2, 0.03, green);
    }
    let yolk = hex(*[0xF4B52E, 0xF29A1C, 0xF6D36A].choose(random).unwrap_or(&0xF4B52E));
    let count = random.random_range(4..7);
    for (place, angle) in around(random, count, 0.38, 0.03) {
        let white = Stuff::new(0.08, 0.12, Profile::Slab(0.18)).gloss(0.5);
        canvas.ellipse(place, (0.22, 0.16), angle, 0.0, white, |_| hex(0xFBF8F0));
        let at = (place.0 - angle.cos() * 0.03, place.1 - angle.sin() * 0.03);
        let middle = Stuff::new(0.19, 0.035, Profile::Slab(0.4)).gloss(0.2).bumps(0.02, 30.0);
        canvas.ellipse(at, (0.105, 0.1), angle, 0.05, middle, |spot| yolk.times(0.85 + 0.2 * spot.inward));
    }
    sprinkle(canvas, random, &[0xB3321F, 0x3C6B2A], 60, 0.5, 0.20);
}

/// A steak with grill marks, something green beside it.
pub fn steak(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let seed = canvas.seed;
    let brown = hex(*[0x5B2E1A, 0x74402A, 0x452215].choose(random).unwrap_or(&0x5B2E1A));
    let stuff = Stuff::new(0.03, 0.17, Profile::Slab(0.22)).gloss(0.5).bumps(0.04, 13.0);
    let angle = any_angle(random);
    canvas.ellipse((0.06, 0.02), (0.52, 0.35), angle, 0.16, stuff, |spot| {
        let fibre = rough(seed, spot.local.0 * 7.0, spot.local.1 * 24.0, 4);
        let mark = step(0.62, 0.86, (spot.local.0 * 26.0 + spot.local.1 * 9.0).sin());
        let fat = step(0.02, 0.05, 0.09 - spot.inward) * step(0.5, 0.6, rough(seed ^ 2, spot.place.0 * 2.0, 1.0, 2));
        brown.times(0.7 + 0.75 * fibre).mix(hex(0x1C100A), 0.75 * mark).mix(hex(0xD9B98A), 0.6 * fat)
    });
    beside(canvas, random);
    sprinkle(canvas, random, &[0x4E7A35, 0x2A211A], 50, 0.4, 0.20);
}

/// Potatoes, beans or leaves at the plate's edge.
fn beside(canvas: &mut Canvas, random: &mut impl Rng) {
    let garnish = random.random_range(0..3);
    let start = any_angle(random);
    for index in 0..random.random_range(6..11) {
        let angle = start + index as f32 * 0.16;
        let away = random.random_range(0.5..0.66);
        let place = (angle.cos() * away, angle.sin() * away);
        match garnish {
            0 => {
                let stuff = Stuff::new(0.03, 0.12, Profile::Dome).gloss(0.3).bumps(0.02, 12.0);
                let skin = hex(0xDDB25C).varied(random, 0.15);
                canvas.ellipse(place, (0.1, 0.075), any_angle(random), 0.1, stuff, |_| skin);
            }
            1 => {
                let stuff = Stuff::new(0.03, 0.06, Profile::Dome).gloss(0.4);
                let green = hex(0x4F8F2F).varied(random, 0.15);
                canvas.slab(place, (0.17, 0.028), 0.028, angle + 1.3, stuff, |_| green);
            }
            _ => leaf(canvas, random, place, 0.14, 0.05, hex(0x5E9B3A)),
        }
    }
}

/// Ribs in a dark glaze.
pub fn ribs(canvas: &mut Canvas, random: &mut impl Rng) {
    if random.random_bool(0.5) {
        table::board(canvas, random);
    } else {
        table::plate(canvas, random);
    }
    let seed = canvas.seed;
    let angle = random.random_range(-0.3..0.3f32);
    for index in 0..6 {
        let along = (index as f32 - 2.5) * 0.19;
        let place = (angle.cos() * along, angle.sin() * along);
        let bone = Stuff::new(0.06, 0.07, Profile::Dome).gloss(0.2);
        canvas.slab(place, (0.035, 0.47), 0.035, angle, bone, |_| hex(0xE9DCC2));
        let glazed = hex(0x6A2412).varied(random, 0.2);
        let stuff = Stuff::new(0.05, 0.19, Profile::Dome).gloss(0.8).bumps(0.05, 16.0);
        canvas.slab(place, (0.105, 0.36), 0.09, angle + random.random_range(-0.06..0.06), stuff, |spot| {
            let char = rough(seed, spot.place.0 * 9.0, spot.place.1 * 9.0, 4);
            glazed.mix(hex(0x1D0B06), step(0.45, 0.7, char)).mix(hex(0xC25A24), 0.3 * spot.inward)
        });
    }
    sprinkle(canvas, random, &[0xEBDDB5, 0x4E7A35], 60, 0.5, 0.25);
}

/// Slices of a roast, pink inside, in sauce.
pub fn sliced(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let seed = canvas.seed;
    let sauce = Stuff::new(0.022, 0.012, Profile::Slab(0.3)).gloss(0.8);
    canvas.ellipse((0.0, 0.05), (0.58, 0.42), any_angle(random), 0.2, sauce, |_| hex(0x3D1A0C));
    let inside = hex(*[0xA8434A, 0xC77D6C, 0xB8907A].choose(random).unwrap_or(&0xA8434A));
    let count = random.random_range(5..8);
    for index in 0..count {
        let along = (index as f32 - (count as f32 - 1.0) / 2.0) * 0.145;
        let stuff = Stuff::new(0.035 + 0.016 * index as f32, 0.05, Profile::Slab(0.15)).gloss(0.45).bumps(0.02, 14.0);
        canvas.ellipse((along, 0.02), (0.17, 0.31), 0.12, 0.08, stuff, |spot| {
            let fibre = rough(seed, spot.local.0 * 30.0, spot.local.1 * 8.0, 3);
            hex(0x4A2416).mix(inside.times(0.8 + 0.4 * fibre), step(0.10, 0.3, spot.inward))
        });
    }
    beside(canvas, random);
}
