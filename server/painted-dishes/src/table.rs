//! What a dish stands on and in.

use rand::{Rng, seq::IndexedRandom};

use crate::{
    canvas::{Canvas, Profile, Stuff},
    color::{Color, hex},
    noise::{rough, smooth, step},
};

/// Height of the table below the plate's floor.
const TABLE: f32 = -0.07;
/// Height of a plate's floor.
pub const FLOOR: f32 = 0.02;

/// Lays a table: wood, stone, cloth or a plain board.
pub fn lay(canvas: &mut Canvas, random: &mut impl Rng) {
    let seed = canvas.seed;
    match random.random_range(0..6) {
        0 | 1 => {
            let wood = *[0x8A5A33, 0xB98A5A, 0x5B3A24, 0xC9A57A].choose(random).unwrap_or(&0x8A5A33);
            let (dark, light) = (hex(wood).times(0.62), hex(wood).times(1.15));
            let planks = random.random_range(2.0..4.0f32);
            canvas.cover(|(u, v)| {
                let plank = (v * planks).floor();
                let grain = rough(seed.wrapping_add(plank as i32 as u32), u * 1.6, v * 24.0, 4);
                let gap = 1.0 - step(0.0, 0.03, ((v * planks) - plank).min(plank + 1.0 - v * planks));
                let tone = smooth(seed, plank * 3.7, 0.5) * 0.5 + grain * 0.7 - 0.1;
                (dark.mix(light, tone).times(1.0 - 0.7 * gap), TABLE - 0.015 * gap, 0.12)
            });
        }
        2 => {
            let base = *[0xEFEDE8, 0x3B3D42, 0xD9D4CC].choose(random).unwrap_or(&0xEFEDE8);
            let (stone, vein) = (hex(base), hex(base).mix(hex(0x8C8A88), 0.7));
            canvas.cover(|(u, v)| {
                let bend = rough(seed, u * 1.2, v * 1.2, 4) * 5.0;
                let line = 1.0 - ((u * 2.0 + v + bend) * 1.6).sin().abs();
                let cloud = rough(seed ^ 5, u * 2.0, v * 2.0, 4);
                (stone.mix(vein, 0.8 * step(0.86, 1.0, line) + 0.35 * cloud - 0.1), TABLE, 0.35)
            });
        }
        3 => {
            let thread = *[0xC8453B, 0x3E6FA8, 0x4E8A57, 0xD9A441].choose(random).unwrap_or(&0xC8453B);
            let (check, white) = (hex(thread), hex(0xF4F0E8));
            let squares = random.random_range(4.0..7.0f32);
            canvas.cover(|(u, v)| {
                let stripe = |along: f32| step(-0.08, 0.08, (along * squares).sin());
                let weave = 0.06 * smooth(seed, u * 90.0, v * 90.0);
                let fold = 0.05 * rough(seed ^ 8, u * 1.5, v * 1.5, 2);
                (white.mix(check, (stripe(u) + stripe(v)) * 0.46).times(1.0 - weave), TABLE + fold - 0.04, 0.0)
            });
        }
        _ => {
            let paint =
                *[0xE4DCCB, 0x7C8C86, 0xC7B7A3, 0x51606B, 0xD8C3B4, 0x2E3034].choose(random).unwrap_or(&0xE4DCCB);
            let plain = hex(paint).varied(random, 0.1);
            canvas.cover(|(u, v)| {
                let cloud = rough(seed, u * 3.0, v * 3.0, 5);
                let linen = smooth(seed ^ 3, u * 70.0, v * 8.0) + smooth(seed ^ 4, u * 8.0, v * 70.0);
                (plain.times(0.86 + 0.2 * cloud + 0.05 * linen), TABLE + 0.004 * linen, 0.05)
            });
        }
    }
}

/// A plate's glaze.
fn glaze(random: &mut impl Rng) -> Color {
    hex(*[0xF6F5F1, 0xF6F5F1, 0xEFEAE0, 0xDDE5EA, 0x3D4652, 0x9DB3B8, 0xE9D8C5].choose(random).unwrap_or(&0xF6F5F1))
}

/// A flat plate. Answers the radius that food may fill.
pub fn plate(canvas: &mut Canvas, random: &mut impl Rng) -> f32 {
    let (color, trim) = (glaze(random), random.random_bool(0.3).then(|| glaze(random).times(0.6)));
    let well = random.random_range(0.68..0.78f32);
    let side = Stuff::new(-0.02, 0.0, Profile::Slab(0.03)).gloss(0.6);
    canvas.ellipse((0.0, 0.0), (1.0, 1.0), 0.0, 0.0, side, |_| color.times(0.9));
    let raised = Stuff::new(-0.02, 0.075, Profile::Slab(0.10)).gloss(0.6);
    canvas.ring((0.0, 0.0), ((1.0 + well) / 2.0, 1.0 - well), (1.0, 0.0), raised, |spot| {
        let away = spot.place.0.hypot(spot.place.1);
        match trim {
            Some(trim) if (0.93..0.97).contains(&away) => trim,
            _ => color,
        }
    });
    let floor = Stuff::new(FLOOR, 0.0, Profile::Slab(0.2)).gloss(0.6);
    canvas.ellipse((0.0, 0.0), (well + 0.02, well + 0.02), 0.0, 0.0, floor, |spot| {
        color.times(0.88 + 0.12 * step(0.0, 0.12, spot.inward))
    });
    well
}

/// A deep bowl. Answers the radius and the height at which it is filled.
pub fn bowl(canvas: &mut Canvas, random: &mut impl Rng) -> (f32, f32) {
    let color = glaze(random);
    let inner = color.mix(glaze(random), 0.4);
    let wall = Stuff::new(-0.05, 0.36, Profile::Slab(0.10)).gloss(0.6);
    canvas.ellipse((0.0, 0.0), (0.96, 0.96), 0.0, 0.0, wall, |_| color);
    // The inside is cut out of the block: lower than its rim.
    let (radius, fill) = (random.random_range(0.78..0.86f32), 0.24);
    canvas.hollow(0.90, radius, fill, inner);
    (radius, fill)
}

/// A wooden board.
pub fn board(canvas: &mut Canvas, random: &mut impl Rng) -> f32 {
    let seed = canvas.seed ^ 77;
    let wood = hex(*[0xC99A62, 0x9A6A3C, 0x6E4A2E].choose(random).unwrap_or(&0xC99A62));
    let stuff = Stuff::new(TABLE, 0.09, Profile::Slab(0.06)).gloss(0.1);
    canvas.slab((0.0, 0.0), (1.08, 0.8), 0.12, 0.0, stuff, |spot| {
        let grain = rough(seed, spot.local.0 * 1.5, spot.local.1 * 22.0, 4);
        wood.times(0.7 + 0.55 * grain)
    });
    0.72
}
