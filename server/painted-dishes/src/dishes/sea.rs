//! From the sea, and soups.

use rand::{Rng, seq::IndexedRandom};

use super::{any_angle, around, clouded, leaf, somewhere, sprinkle};
use crate::{
    canvas::{Canvas, Place, Profile, Stuff},
    color::hex,
    noise::{rough, smooth, step},
    table,
};

/// Nigiri: fish on rice, in rows.
pub fn sushi(canvas: &mut Canvas, random: &mut impl Rng) {
    if random.random_bool(0.5) {
        table::board(canvas, random);
    } else {
        table::plate(canvas, random);
    }
    let seed = canvas.seed;
    for row in 0..2 {
        for column in 0..4 {
            let place = (-0.42 + 0.28 * column as f32 + random.random_range(-0.02..0.02), -0.24 + 0.46 * row as f32);
            let rice = Stuff::new(0.04, 0.12, Profile::Slab(0.5)).gloss(0.25).bumps(0.06, 34.0);
            canvas.slab(place, (0.098, 0.185), 0.08, 0.12, rice, |_| hex(0xF7F4EA));
            let fish = *[0xF08A5B, 0xEC6F4E, 0xC6334A, 0xF2D9CB].choose(random).unwrap_or(&0xF08A5B);
            let fish = hex(fish);
            let slice = Stuff::new(0.15, 0.08, Profile::Slab(0.5)).gloss(0.75);
            canvas.slab(place, (0.108, 0.215), 0.07, 0.12, slice, |spot| {
                let bend = 0.25 * smooth(seed, spot.place.0 * 5.0, spot.place.1 * 5.0);
                let line = step(0.72, 0.95, (spot.local.1 * 42.0 + spot.local.0.abs() * 18.0 + bend * 6.0).sin());
                fish.mix(hex(0xFCE6D8), 0.75 * line)
            });
        }
    }
    let wasabi = Stuff::new(0.03, 0.12, Profile::Dome).bumps(0.05, 20.0);
    canvas.ellipse((0.72, 0.02), (0.09, 0.07), any_angle(random), 0.25, wasabi, |_| hex(0xA9C65A));
}

/// One prawn, curled.
pub fn prawn(canvas: &mut Canvas, random: &mut impl Rng, place: Place, angle: f32, level: f32, size: f32) {
    let shell = hex(0xF2865A).varied(random, 0.12);
    let pale = hex(0xFCE3D2);
    let body: Vec<Place> = (0..9)
        .map(|index| {
            let turn = angle + 0.42 * index as f32;
            (place.0 + turn.cos() * 0.14 * size, place.1 + turn.sin() * 0.14 * size)
        })
        .collect();
    for (index, at) in body.iter().enumerate() {
        let thick = size * (0.078 - 0.0055 * index as f32);
        let stuff = Stuff::new(level + 0.002 * index as f32, thick * 1.3, Profile::Dome).gloss(0.7);
        let band = if index % 2 == 0 { shell } else { shell.mix(pale, 0.55) };
        canvas.ellipse(*at, (thick, thick * 1.15), angle + 0.42 * index as f32, 0.0, stuff, |_| band);
    }
    if let Some(tail) = body.last() {
        let fan = Stuff::new(level, 0.03, Profile::Dome).gloss(0.6);
        canvas.wedge(*tail, (0.14 * size, 0.06 * size), angle + 0.42 * 8.0 + 1.5, fan, |_| shell.times(0.7));
    }
}

/// Prawns on leaves with lemon.
pub fn prawns(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    for _ in 0..random.random_range(4..14) {
        let place = somewhere(random, 0.6);
        let green = hex(0x6AA544).varied(random, 0.2);
        leaf(canvas, random, place, 0.2, 0.03, green);
    }
    let count = random.random_range(5..8);
    for (place, angle) in around(random, count, 0.4, 0.05) {
        prawn(canvas, random, place, angle + 1.0, 0.09, 1.25);
    }
    let angle = any_angle(random);
    prawn(canvas, random, (0.0, 0.0), angle, 0.1, 1.25);
    let (place, _) = around(random, 1, 0.56, 0.02)[0];
    let lemon = Stuff::new(0.1, 0.05, Profile::Slab(0.12)).gloss(0.5);
    canvas.ellipse(place, (0.15, 0.15), 0.0, 0.0, lemon, |spot| {
        let segment = (spot.local.1.atan2(spot.local.0) * 4.0).cos().abs();
        let flesh = hex(0xF6E27A).mix(hex(0xFFF9D8), 1.0 - step(0.0, 0.22, segment));
        hex(0xF2CC2E).mix(hex(0xFFFBE0), step(0.06, 0.1, spot.inward)).mix(flesh, step(0.16, 0.22, spot.inward))
    });
}

/// Mussels in their shells.
pub fn mussels(canvas: &mut Canvas, random: &mut impl Rng) {
    let (radius, fill) = table::bowl(canvas, random);
    let broth = Stuff::new(fill, 0.0, Profile::Slab(0.3)).gloss(0.9);
    canvas.ellipse((0.0, 0.0), (radius, radius), 0.0, 0.0, broth, |_| hex(0xC9A060));
    for index in 0..random.random_range(24..34) {
        let place = somewhere(random, radius * 0.78);
        let (angle, level) = (any_angle(random), fill + 0.01 * index as f32);
        let shell = Stuff::new(level, 0.1, Profile::Slab(0.5)).gloss(0.8);
        canvas.ellipse(place, (0.21, 0.115), angle, 0.08, shell, |spot| {
            hex(0x14161E).mix(hex(0x3C4466), 0.5 + 0.5 * (spot.inward * 34.0).sin())
        });
        if random.random_bool(0.7) {
            let inside = Stuff::new(level + 0.092, 0.012, Profile::Slab(0.5)).gloss(0.6);
            canvas.ellipse(place, (0.175, 0.09), angle, 0.06, inside, |_| hex(0xC9CBD6));
            let flesh = Stuff::new(level + 0.1, 0.06, Profile::Dome).gloss(0.6).bumps(0.03, 18.0);
            let orange = hex(0xE79A3C).varied(random, 0.15);
            canvas.ellipse(place, (0.125, 0.06), angle, 0.2, flesh, |_| orange);
        }
    }
    sprinkle(canvas, random, &[0x3F8F34, 0x5FA23E], 70, radius * 0.7, fill + 0.4);
}

/// A bowl of soup: tomato, pumpkin, pea, miso or clear.
pub fn soup(canvas: &mut Canvas, random: &mut impl Rng) {
    let (radius, fill) = table::bowl(canvas, random);
    let seed = canvas.seed;
    let kinds = [0xC8431F, 0xE58A1E, 0x7E9A3A, 0xC79A5C, 0xD9B45A, 0xE9D7B0, 0x7A3A1C];
    let base = hex(*kinds.choose(random).unwrap_or(&0xC8431F)).varied(random, 0.12);
    let surface = Stuff::new(fill, 0.006, Profile::Slab(0.1)).gloss(0.85).bumps(0.006, 5.0);
    canvas.ellipse((0.0, 0.0), (radius, radius), 0.0, 0.0, surface, |spot| {
        let cloud = rough(seed, spot.place.0 * 3.0, spot.place.1 * 3.0, 4);
        base.times(0.72 + 0.42 * cloud).times(0.8 + 0.2 * step(0.0, 0.12, spot.inward))
    });
    match random.random_range(0..3) {
        0 => {
            let mut place = (radius * 0.1, 0.0);
            let swirl: Vec<Place> = (0..60)
                .map(|index| {
                    let (angle, away) = (0.28 * index as f32, radius * (0.08 + 0.0075 * index as f32));
                    place = (angle.cos() * away, angle.sin() * away);
                    place
                })
                .collect();
            let cream = Stuff::new(fill + 0.004, 0.008, Profile::Dome).gloss(0.7);
            canvas.strand(&swirl, 0.02, cream, |_| hex(0xFFF8EA));
            leaf(canvas, random, (0.0, 0.0), 0.1, fill + 0.02, hex(0x3F8F34));
        }
        1 => {
            for _ in 0..random.random_range(14..30) {
                let place = somewhere(random, radius * 0.8);
                let piece = *[0xE2701E, 0xF3E7C6, 0x6FA23A, 0xB8452A, 0xE8D08A].choose(random).unwrap_or(&0xE2701E);
                let stuff = Stuff::new(fill, 0.045, Profile::Slab(0.5)).gloss(0.5).bumps(0.01, 20.0);
                let size = random.random_range(0.035..0.085);
                canvas.ellipse(place, (size, size * 0.8), any_angle(random), 0.15, stuff, |_| hex(piece));
            }
        }
        _ => {
            for _ in 0..random.random_range(5..9) {
                let place = somewhere(random, radius * 0.55);
                let crouton = Stuff::new(fill, 0.1, Profile::Slab(0.3)).gloss(0.1).bumps(0.04, 26.0);
                canvas.slab(
                    place,
                    (0.07, 0.065),
                    0.02,
                    any_angle(random),
                    crouton,
                    clouded(seed, hex(0xE0AE62), hex(0xA8692A), 14.0),
                );
            }
        }
    }
    let herbs = random.random_range(20..110);
    sprinkle(canvas, random, &[0x3F7F2E, 0x5FA23E, 0x2F5F22], herbs, radius * 0.8, fill + 0.006);
    for _ in 0..random.random_range(10..40) {
        let place = somewhere(random, radius * 0.85);
        let eye = Stuff::new(fill + 0.003, 0.01, Profile::Dome).gloss(1.0);
        let size = random.random_range(0.008..0.03);
        canvas.ellipse(place, (size, size), 0.0, 0.0, eye, |_| base.mix(hex(0xFFD27A), 0.35));
    }
}
