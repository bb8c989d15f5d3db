//! Cheese, yogurt, and what comes last.

use rand::{Rng, seq::IndexedRandom};

use super::{any_angle, around, clouded, leaf, somewhere, sprinkle};
use crate::{
    canvas::{Canvas, Profile, Stuff},
    color::{Color, hex},
    noise::{rough, step},
    table,
};

/// A board or plate of cheeses.
pub fn cheese(canvas: &mut Canvas, random: &mut impl Rng) {
    if random.random_bool(0.6) {
        table::board(canvas, random);
    } else {
        table::plate(canvas, random);
    }
    let seed = canvas.seed;
    let count = random.random_range(3..5);
    for (place, angle) in around(random, count, 0.36, 0.06) {
        let paste = hex(*[0xF6D15B, 0xF7E7B0, 0xF2B04A, 0xFBF3DC].choose(random).unwrap_or(&0xF6D15B));
        let rind = if random.random_bool(0.4) { hex(0xC8452F) } else { paste.times(0.75) };
        let (length, half) = (random.random_range(0.42..0.6), random.random_range(0.15..0.26));
        let stuff = Stuff::new(0.03, 0.2, Profile::Slab(0.12)).gloss(0.25).bumps(0.01, 20.0);
        let turn = angle + std::f32::consts::PI + random.random_range(-0.4..0.4);
        canvas.wedge(place, (length, half), turn, stuff, |spot| {
            let edge = spot.local.0 < -length * 0.4 + 0.03;
            if edge { rind } else { paste.times(0.95 + 0.08 * rough(seed, spot.place.0 * 9.0, spot.place.1 * 9.0, 3)) }
        });
        if random.random_bool(0.5) {
            for _ in 0..9 {
                let hole = (place.0 + random.random_range(-0.09..0.09), place.1 + random.random_range(-0.09..0.09));
                let size = random.random_range(0.012..0.034);
                let stuff = Stuff::new(0.225, 0.004, Profile::Slab(0.5)).gloss(0.1);
                canvas.ellipse(hole, (size, size * 0.8), any_angle(random), 0.1, stuff, |_| paste.times(0.55));
            }
        }
    }
    for _ in 0..random.random_range(3..9) {
        let place = somewhere(random, 0.22);
        let grape = *[0x6E2A4F, 0x9DB84A].choose(random).unwrap_or(&0x6E2A4F);
        let stuff = Stuff::new(0.05, 0.15, Profile::Dome).gloss(0.7);
        canvas.ellipse(place, (0.075, 0.07), any_angle(random), 0.0, stuff, |_| hex(grape));
    }
}

/// A bowl of yogurt, swirled, with berries.
pub fn yogurt(canvas: &mut Canvas, random: &mut impl Rng) {
    let (radius, fill) = table::bowl(canvas, random);
    let base = hex(*[0xFBF7EF, 0xF6D9DF, 0xF5EBCF].choose(random).unwrap_or(&0xFBF7EF));
    let surface = Stuff::new(fill, 0.05, Profile::Slab(0.3)).gloss(0.4).bumps(0.05, 4.0);
    canvas.ellipse((0.0, 0.0), (radius, radius), 0.0, 0.0, surface, |_| base);
    let turns = random.random_range(2.0..3.5);
    let swirl: Vec<_> = (0..120)
        .map(|index| {
            let share = index as f32 / 120.0;
            let (angle, away) = (share * turns * std::f32::consts::TAU, radius * 0.8 * (1.0 - share));
            (angle.cos() * away, angle.sin() * away)
        })
        .collect();
    let ridge = Stuff::new(fill + 0.04, 0.09, Profile::Dome).gloss(0.45);
    canvas.strand(&swirl, 0.09, ridge, |_| base.times(1.02));
    for _ in 0..random.random_range(6..22) {
        let place = somewhere(random, radius * 0.7);
        let berry = *[0xB81E34, 0x2B3566, 0x7E1A3C].choose(random).unwrap_or(&0xB81E34);
        let stuff = Stuff::new(fill + 0.07, 0.11, Profile::Dome).gloss(0.55).bumps(0.02, 40.0);
        canvas.ellipse(place, (0.06, 0.055), any_angle(random), 0.08, stuff, |_| hex(berry));
    }
}

/// Doughnuts with icing and sprinkles.
pub fn doughnuts(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let seed = canvas.seed;
    let count = random.random_range(3..5);
    for (place, _) in around(random, count, 0.38, 0.03) {
        let dough = Stuff::new(0.03, 0.18, Profile::Dome).gloss(0.15).bumps(0.01, 20.0);
        canvas.ring(place, (0.19, 0.23), (1.0, 0.0), dough, clouded(seed, hex(0xD89B4E), hex(0xB0702B), 8.0));
        let icing = hex(*[0xF29AB5, 0x5A2E17, 0xFBF3E4, 0x8FCBE0].choose(random).unwrap_or(&0xF29AB5));
        let glazed = Stuff::new(0.11, 0.12, Profile::Dome).gloss(0.85);
        canvas.ring(place, (0.19, 0.18), (1.0, 0.0), glazed, |_| icing);
        for _ in 0..26 {
            let angle = any_angle(random);
            let away = 0.19 + random.random_range(-0.05..0.05f32);
            let at = (place.0 + angle.cos() * away, place.1 + angle.sin() * away);
            let Some(code) = [0xE8413C, 0xF6C945, 0x4FA95B, 0x3F7FC4, 0xFFFFFF].choose(random) else { continue };
            let stuff = Stuff::new(0.205, 0.025, Profile::Dome).gloss(0.4);
            canvas.slab(at, (0.022, 0.008), 0.008, any_angle(random), stuff, |_| hex(*code));
        }
    }
}

/// Macarons in the colours of a shop window.
pub fn macarons(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let mut places = around(random, 7, 0.5, 0.02);
    places.push(((0.0, 0.0), 0.0));
    for (place, _) in places {
        let shell = *[0xF2A7B8, 0xB8D8A0, 0xF3D27A, 0x9C6B4A, 0xC7A5D8, 0xE8745A].choose(random).unwrap_or(&0xF2A7B8);
        let shell = hex(shell).varied(random, 0.08);
        let foot = Stuff::new(0.03, 0.06, Profile::Slab(0.2)).gloss(0.1).bumps(0.04, 50.0);
        canvas.ellipse(place, (0.205, 0.205), 0.0, 0.05, foot, |_| shell.times(0.9));
        let cream = Stuff::new(0.08, 0.05, Profile::Slab(0.2)).gloss(0.3);
        canvas.ellipse(place, (0.192, 0.192), 0.0, 0.0, cream, |_| hex(0xFFF4DC));
        let top = Stuff::new(0.12, 0.10, Profile::Dome).gloss(0.35);
        canvas.ellipse((place.0, place.1), (0.19, 0.19), 0.0, 0.0, top, |_| shell);
    }
}

/// A slice of layered cake, or a round one.
pub fn cake(canvas: &mut Canvas, random: &mut impl Rng) {
    table::plate(canvas, random);
    let sponge = hex(*[0x4A2412, 0xE8C98A, 0xB8322E].choose(random).unwrap_or(&0x4A2412));
    let cream = hex(*[0xFFF6E6, 0x6B3A22, 0xF7C6D2].choose(random).unwrap_or(&0xFFF6E6));
    let seed = canvas.seed;
    let layered = move |along: f32| -> Color {
        let layer = (along * 9.0).rem_euclid(1.0);
        sponge.mix(cream, step(0.62, 0.7, layer) * (1.0 - step(0.92, 1.0, layer)))
    };
    if random.random_bool(0.6) {
        let stuff = Stuff::new(0.03, 0.3, Profile::Slab(0.1)).gloss(0.15).bumps(0.03, 24.0);
        canvas.slab((0.0, 0.02), (0.46, 0.26), 0.03, random.random_range(-0.3..0.3), stuff, |spot| {
            let crumb = rough(seed, spot.place.0 * 30.0, spot.place.1 * 30.0, 3);
            if spot.local.1 < -0.17 { cream } else { layered(spot.local.1 + 0.3).times(0.8 + 0.35 * crumb) }
        });
        let berry = Stuff::new(0.33, 0.14, Profile::Dome).gloss(0.7);
        canvas.ellipse((0.1, -0.16), (0.085, 0.075), 0.3, 0.06, berry, |_| hex(0xC21F2E));
        leaf(canvas, random, (0.2, -0.18), 0.08, 0.34, hex(0x4C8F3A));
    } else {
        let stuff = Stuff::new(0.03, 0.36, Profile::Slab(0.12)).gloss(0.4);
        canvas.ellipse((0.0, 0.0), (0.56, 0.56), 0.0, 0.0, stuff, |_| cream);
        for (place, _) in around(random, 10, 0.45, 0.0) {
            let dot = Stuff::new(0.38, 0.11, Profile::Dome).gloss(0.4);
            canvas.ellipse(place, (0.075, 0.075), 0.0, 0.12, dot, |_| cream.mix(hex(0xFFFFFF), 0.5));
            let cherry = Stuff::new(0.48, 0.07, Profile::Dome).gloss(0.9);
            canvas.ellipse(place, (0.04, 0.04), 0.0, 0.0, cherry, |_| hex(0xB5121F));
        }
        sprinkle(canvas, random, &[0x3A1B0E, 0x5A2E17], 90, 0.36, 0.39);
    }
}
