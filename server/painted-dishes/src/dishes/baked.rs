//! From the oven and the fryer.

use rand::{Rng, seq::IndexedRandom};

use super::{any_angle, around, clouded, heap, leaf, somewhere};
use crate::{
    canvas::{Canvas, Profile, Stuff},
    color::hex,
    noise::{rough, smooth, step},
    table,
};

/// Slices of a loaf, laid like tiles.
pub fn slices(canvas: &mut Canvas, random: &mut impl Rng) {
    if random.random_bool(0.5) {
        table::board(canvas, random);
    } else {
        table::plate(canvas, random);
    }
    let seed = canvas.seed;
    let crumb = hex(*[0xF7E6BE, 0xEAD09A, 0xB98956].choose(random).unwrap_or(&0xF7E6BE));
    let crust = hex(0x8A4F1D).varied(random, 0.25);
    let count = random.random_range(3..6);
    let angle = random.random_range(-0.35..0.35);
    for index in 0..count {
        let along = (index as f32 - (count as f32 - 1.0) / 2.0) * 0.27;
        let place = (along, random.random_range(-0.04..0.04));
        let level = 0.05 + 0.025 * index as f32;
        let stuff = Stuff::new(level, 0.07, Profile::Slab(0.14)).gloss(0.05).bumps(0.05, 26.0);
        canvas.slab(place, (0.26, 0.40), 0.17, angle + random.random_range(-0.08..0.08), stuff, |spot| {
            let holes = smooth(seed, spot.place.0 * 34.0, spot.place.1 * 34.0);
            let inside = crumb.times(0.84 + 0.22 * holes);
            crust.mix(inside, step(0.07, 0.18, spot.inward))
        });
    }
}

/// A round loaf with scored crust, floured.
pub fn loaf(canvas: &mut Canvas, random: &mut impl Rng) {
    table::board(canvas, random);
    let seed = canvas.seed;
    let (dark, light) = (hex(0x7A3E14), hex(0xD08A3E));
    let size = random.random_range(0.52..0.66);
    let stuff = Stuff::new(0.03, 0.42, Profile::Dome).gloss(0.12).bumps(0.06, 7.0);
    let flour = random.random_range(0.2..0.8);
    canvas.ellipse((0.0, 0.0), (size, size * random.random_range(0.75..1.0)), any_angle(random), 0.05, stuff, |spot| {
        let baked = rough(seed, spot.place.0 * 4.0, spot.place.1 * 4.0, 4);
        let dust = rough(seed ^ 9, spot.place.0 * 30.0, spot.place.1 * 30.0, 2);
        dark.mix(light, baked * 0.8 + 0.3 * spot.inward).mix(hex(0xF4EAD8), flour * step(0.4, 0.7, dust) * spot.inward)
    });
    let angle = any_angle(random);
    for cut in -2..=2 {
        let off = cut as f32 * size * 0.3;
        let half = (size * size * 0.7 - off * off).max(0.01).sqrt() * 0.85;
        let place = (-angle.sin() * off, angle.cos() * off);
        let stuff = Stuff::new(0.40 - off.abs() * 0.35, 0.04, Profile::Dome).gloss(0.05).bumps(0.04, 30.0);
        canvas.ellipse(place, (half, 0.035), angle, 0.2, stuff, clouded(seed, hex(0xEBC98C), hex(0xC98F4A), 12.0));
    }
}

/// A stack of pancakes with butter and syrup.
pub fn pancakes(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let seed = canvas.seed;
    let count = random.random_range(3..6);
    for index in 0..count {
        let mut off = || random.random_range(-0.05..0.05);
        let (place, level) = ((off(), off()), 0.03 + 0.075 * index as f32);
        let stuff = Stuff::new(level, 0.08, Profile::Slab(0.16)).gloss(0.1).bumps(0.012, 12.0);
        canvas.ellipse(place, (0.55, 0.53), 0.0, 0.03, stuff, |spot| {
            let brown = rough(seed ^ index as u32, spot.place.0 * 5.0, spot.place.1 * 5.0, 4);
            let top = hex(0xD79A4B).mix(hex(0x9C5A1F), brown * 1.4 - 0.3);
            hex(0xF0D596).mix(top, step(0.1, 0.24, spot.inward))
        });
    }
    let top = 0.03 + 0.075 * count as f32;
    let syrup = Stuff::new(top - 0.005, 0.035, Profile::Slab(0.5)).gloss(0.9);
    canvas.ellipse((0.05, 0.0), (0.34, 0.27), any_angle(random), 0.35, syrup, |_| hex(0x7A3A0E));
    let butter = Stuff::new(top + 0.02, 0.08, Profile::Slab(0.3)).gloss(0.4);
    canvas.slab((0.0, 0.0), (0.10, 0.085), 0.03, any_angle(random), butter, |_| hex(0xFBE58F));
    for _ in 0..random.random_range(0..9) {
        let place = somewhere(random, 0.5);
        let berry = *[0xB3202E, 0x2F3A6E].choose(random).unwrap_or(&0xB3202E);
        let stuff = Stuff::new(top + 0.01, 0.1, Profile::Dome).gloss(0.5).bumps(0.02, 40.0);
        canvas.ellipse(place, (0.06, 0.055), any_angle(random), 0.1, stuff, |_| hex(berry));
    }
}

/// A heap of chips, with a dip.
pub fn chips(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    for index in 0..random.random_range(90..130) {
        let place = somewhere(random, 0.58);
        let level = heap(place, 0.68, 0.34) * (0.4 + 0.6 * index as f32 / 130.0);
        let gold = hex(0xE9B44C).varied(random, 0.25);
        let tip = hex(0xA9681F);
        let length = random.random_range(0.13..0.26);
        let stuff = Stuff::new(level, 0.055, Profile::Slab(0.4)).gloss(0.3).bumps(0.01, 30.0);
        canvas.slab(place, (length, 0.036), 0.012, any_angle(random), stuff, |spot| {
            gold.mix(tip, step(0.75, 1.0, spot.local.0.abs() / length) * 0.7)
        });
    }
    if random.random_bool(0.6) {
        let (place, _) = around(random, 1, 0.62, 0.03)[0];
        let dip = *[0xB3261A, 0xF5EFD9].choose(random).unwrap_or(&0xB3261A);
        let cup = Stuff::new(0.1, 0.22, Profile::Slab(0.25)).gloss(0.6);
        canvas.ellipse(place, (0.2, 0.2), 0.0, 0.0, cup, |_| hex(0xF3F1EC));
        let sauce = Stuff::new(0.32, 0.012, Profile::Slab(0.3)).gloss(0.8);
        canvas.ellipse(place, (0.165, 0.165), 0.0, 0.03, sauce, |_| hex(dip));
    }
}

/// Battered onion rings, piled.
pub fn onion_rings(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let seed = canvas.seed;
    for index in 0..random.random_range(14..20) {
        let place = somewhere(random, 0.5);
        let level = 0.02 + 0.02 * index as f32;
        let gold = hex(0xD28A2E).varied(random, 0.2);
        let stuff = Stuff::new(level, 0.10, Profile::Dome).gloss(0.2).bumps(0.09, 24.0);
        let (radius, squash) = (random.random_range(0.15..0.24), random.random_range(0.75..1.0));
        let (thickness, angle) = (random.random_range(0.09..0.12), any_angle(random));
        canvas.ring(place, (radius, thickness), (squash, angle), stuff, |spot| {
            let crisp = rough(seed, spot.place.0 * 26.0, spot.place.1 * 26.0, 3);
            gold.mix(hex(0xF4C97A), crisp * 1.3 - 0.4).mix(hex(0x8A4A12), step(0.62, 0.8, crisp))
        });
    }
}

/// Samosas or fried parcels, with a leaf.
pub fn samosas(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let seed = canvas.seed;
    for _ in 0..4 {
        let place = somewhere(random, 0.6);
        leaf(canvas, random, place, 0.2, 0.03, hex(0x4F8A34));
    }
    let count = random.random_range(4..7);
    for (place, angle) in around(random, count, 0.36, 0.05) {
        let crust = hex(0xC98436).varied(random, 0.15);
        let stuff = Stuff::new(0.05, 0.22, Profile::Dome).gloss(0.25).bumps(0.05, 18.0);
        let turn = angle + random.random_range(-0.5..0.5);
        canvas.wedge(place, (0.5, 0.24), turn, stuff, |spot| {
            let blister = rough(seed, spot.place.0 * 20.0, spot.place.1 * 20.0, 3);
            crust.mix(hex(0x8C4B14), step(0.5, 0.75, blister)).mix(hex(0xF0CB85), 0.35 * spot.inward)
        });
    }
}
