//! What is on the plate. Every subject has a few ways of being served.

mod baked;
mod grains;
mod greens;
mod meats;
mod sea;
mod sweets;
mod things;

use rand::Rng;

use crate::{
    Subject,
    canvas::{Canvas, Place, Profile, Spot, Stuff},
    color::{Color, hex},
    noise::rough,
    table,
};

/// Lays the table and serves `subject` on it.
pub fn serve(subject: Subject, canvas: &mut Canvas, random: &mut impl Rng) {
    table::lay(canvas, random);
    let way = random.random_range(0..3u32);
    match (subject, way) {
        (Subject::Bread, 0) => baked::slices(canvas, random),
        (Subject::Bread, 1) => baked::loaf(canvas, random),
        (Subject::Bread, _) => baked::pancakes(canvas, random),
        (Subject::DairyProduct, 0 | 1) => sweets::cheese(canvas, random),
        (Subject::DairyProduct, _) => sweets::yogurt(canvas, random),
        (Subject::Dessert, 0) => sweets::doughnuts(canvas, random),
        (Subject::Dessert, 1) => sweets::macarons(canvas, random),
        (Subject::Dessert, _) => sweets::cake(canvas, random),
        (Subject::Egg, 0 | 1) => meats::fried_eggs(canvas, random),
        (Subject::Egg, _) => meats::boiled_eggs(canvas, random),
        (Subject::FriedFood, 0) => baked::chips(canvas, random),
        (Subject::FriedFood, 1) => baked::onion_rings(canvas, random),
        (Subject::FriedFood, _) => baked::samosas(canvas, random),
        (Subject::Meat, 0) => meats::steak(canvas, random),
        (Subject::Meat, 1) => meats::ribs(canvas, random),
        (Subject::Meat, _) => meats::sliced(canvas, random),
        (Subject::NoodlesPasta, 0 | 1) => grains::spaghetti(canvas, random),
        (Subject::NoodlesPasta, _) => grains::ravioli(canvas, random),
        (Subject::Rice, 0) => grains::rice(canvas, random),
        (Subject::Rice, 1) => grains::fried_rice(canvas, random),
        (Subject::Rice, _) => grains::paella(canvas, random),
        (Subject::Seafood, 0) => sea::sushi(canvas, random),
        (Subject::Seafood, 1) => sea::prawns(canvas, random),
        (Subject::Seafood, _) => sea::mussels(canvas, random),
        (Subject::Soup, _) => sea::soup(canvas, random),
        (Subject::VegetableFruit, 0 | 1) => greens::salad(canvas, random),
        (Subject::VegetableFruit, _) => greens::fruit(canvas, random),
        (Subject::NotFood, 0) => things::desk(canvas, random),
        (Subject::NotFood, 1) => things::window(canvas, random),
        (Subject::NotFood, _) => _ = table::plate(canvas, random),
    }
}

/// A place within `radius` of the middle, evenly spread.
fn somewhere(random: &mut impl Rng, radius: f32) -> Place {
    let (angle, away) = (any_angle(random), radius * random.random::<f32>().sqrt());
    (angle.cos() * away, angle.sin() * away)
}

fn any_angle(random: &mut impl Rng) -> f32 {
    random.random_range(0.0..std::f32::consts::TAU)
}

/// Places around a circle, a little irregular.
fn around(random: &mut impl Rng, count: usize, radius: f32, uneven: f32) -> Vec<(Place, f32)> {
    let first = any_angle(random);
    (0..count)
        .map(|index| {
            let angle = first + std::f32::consts::TAU * index as f32 / count as f32;
            let mut off = || random.random_range(-uneven..=uneven);
            ((angle.cos() * radius + off(), angle.sin() * radius + off()), angle)
        })
        .collect()
}

/// Height of a heap of this radius and height.
fn heap(place: Place, radius: f32, height: f32) -> f32 {
    let away = (place.0.hypot(place.1) / radius).min(1.0);
    table::FLOOR + height * (1.0 - away * away)
}

/// One colour, clouded by another.
fn clouded(seed: u32, base: Color, other: Color, fineness: f32) -> impl Fn(Spot) -> Color + Copy {
    move |spot| {
        let (u, v) = spot.place;
        base.mix(other, rough(seed, u * fineness, v * fineness, 4) * 1.5 - 0.25)
    }
}

/// A sprinkle of herbs, pepper or seeds.
fn sprinkle(canvas: &mut Canvas, random: &mut impl Rng, colors: &[u32], count: usize, radius: f32, level: f32) {
    for _ in 0..count {
        let place = somewhere(random, radius);
        let Some(code) = colors.get(random.random_range(0..colors.len().max(1))) else { return };
        let color = hex(*code).varied(random, 0.3);
        let size = random.random_range(0.008..0.022);
        let stuff = Stuff::new(level, 0.012, Profile::Dome);
        canvas.ellipse(place, (size, size * random.random_range(0.4..1.0)), any_angle(random), 0.3, stuff, |_| color);
    }
}

/// Green leaves as a garnish, or as a salad.
fn leaf(canvas: &mut Canvas, random: &mut impl Rng, place: Place, size: f32, level: f32, green: Color) {
    let angle = any_angle(random);
    let pale = green.mix(hex(0xDDE8A0), 0.5);
    let stuff = Stuff::new(level, size * 0.22, Profile::Dome).gloss(0.3).bumps(size * 0.25, 5.0 / size);
    canvas.ellipse(place, (size, size * 0.55), angle, 0.28, stuff, |spot| {
        let vein = (spot.local.1 / size * 14.0 - spot.local.0.abs() / size * 6.0).sin();
        let rib = if spot.local.1.abs() < size * 0.035 { 0.8 } else { 0.0 };
        green.mix(pale, (0.12 * vein + rib).max(0.0)).times(0.75 + 0.35 * spot.inward)
    });
}
