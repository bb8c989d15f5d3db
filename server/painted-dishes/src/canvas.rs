//! The landscape a dish is built on: for every pixel a colour, a height and how much it shines. Shapes are laid on it
//! in the dish's own measure, where the plate has radius 1; where two overlap, the higher one is seen.

use crate::{
    color::Color,
    noise::{self, step},
};

/// A place in the dish's measure: the plate's middle is (0, 0), its rim is 1 away.
pub type Place = (f32, f32);

/// How the dish lies in the picture.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Width and height of the picture in pixels.
    pub size: (usize, usize),
    /// The plate's middle, in pixels.
    pub middle: (f32, f32),
    /// The plate's radius, in pixels.
    pub radius: f32,
    /// How much a circle is flattened: 1 from straight above.
    pub squash: f32,
    /// Sine and cosine of the angle by which the dish is turned.
    pub turn: (f32, f32),
}

impl View {
    /// The place under a pixel.
    fn place(&self, x: f32, y: f32) -> Place {
        let (right, down) = ((x - self.middle.0) / self.radius, (y - self.middle.1) / (self.radius * self.squash));
        let (sine, cosine) = self.turn;
        (right * cosine + down * sine, down * cosine - right * sine)
    }

    /// The pixel over a place.
    fn pixel(&self, (u, v): Place) -> (f32, f32) {
        let (sine, cosine) = self.turn;
        let (right, down) = (u * cosine - v * sine, u * sine + v * cosine);
        (self.middle.0 + right * self.radius, self.middle.1 + down * self.radius * self.squash)
    }
}

/// How a shape rises from its edge to its middle.
#[derive(Clone, Copy, Debug)]
pub enum Profile {
    /// Round, like a ball or a noodle.
    Dome,
    /// Flat on top, rounded over this share of the way in.
    Slab(f32),
}

impl Profile {
    /// The height, from 0 at the edge to 1, at a share of the way from the edge (0) to the middle (1).
    fn at(self, inward: f32) -> f32 {
        match self {
            Self::Dome => (1.0 - (1.0 - inward).powi(2)).max(0.0).sqrt(),
            Self::Slab(bevel) => {
                let t = (inward / bevel).min(1.0);
                (1.0 - (1.0 - t).powi(2)).max(0.0).sqrt()
            }
        }
    }
}

/// What a shape is made of.
#[derive(Clone, Copy, Debug)]
pub struct Stuff {
    /// Height of the ground it lies on.
    pub level: f32,
    /// How far it rises above that.
    pub rise: f32,
    /// How it rises.
    pub profile: Profile,
    /// How much it shines, from 0 to 1.
    pub gloss: f32,
    /// Height and fineness of its unevenness.
    pub bumps: (f32, f32),
}

impl Stuff {
    /// Something smooth that rises by `rise` from `level`.
    pub fn new(level: f32, rise: f32, profile: Profile) -> Self {
        Self { level, rise, profile, gloss: 0.15, bumps: (0.0, 1.0) }
    }

    /// How much it shines.
    pub fn gloss(self, gloss: f32) -> Self {
        Self { gloss, ..self }
    }

    /// Uneven by so much, over a distance of 1 / `fineness`.
    pub fn bumps(self, height: f32, fineness: f32) -> Self {
        Self { bumps: (height, fineness), ..self }
    }
}

/// Where in a shape a colour is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Spot {
    /// In the dish's measure.
    pub place: Place,
    /// From the shape's middle, turned with it, in the dish's measure.
    pub local: Place,
    /// Share of the way from the edge (0) to the middle (1).
    pub inward: f32,
}

/// The landscape.
pub struct Canvas {
    /// How it is seen.
    pub view: View,
    /// Makes its noise its own.
    pub seed: u32,
    /// Colour of every pixel, row by row.
    pub colors: Vec<Color>,
    /// Height of every pixel, in the dish's measure.
    pub heights: Vec<f32>,
    /// Shine of every pixel.
    pub gloss: Vec<f32>,
}

impl Canvas {
    /// An empty one: black, and lower than anything.
    pub fn new(view: View, seed: u32) -> Self {
        let pixels = view.size.0 * view.size.1;
        Self {
            view,
            seed,
            colors: vec![Color([0.0; 3]); pixels],
            heights: vec![-1.0; pixels],
            gloss: vec![0.0; pixels],
        }
    }

    /// Covers the whole picture: `surface` says colour, height and shine of a place.
    pub fn cover(&mut self, surface: impl Fn(Place) -> (Color, f32, f32)) {
        let (width, height) = self.view.size;
        for y in 0..height {
            for x in 0..width {
                let pixel = y * width + x;
                let place = self.view.place(x as f32 + 0.5, y as f32 + 0.5);
                (self.colors[pixel], self.heights[pixel], self.gloss[pixel]) = surface(place);
            }
        }
    }

    /// Lays a shape: `depth` says how deep inside a local place lies (negative: outside), `deepest` the largest it
    /// says, `reach` how far the shape extends from its middle.
    fn lay(
        &mut self,
        (middle, angle, reach): (Place, f32, f32),
        deepest: f32,
        stuff: Stuff,
        depth: impl Fn(Place) -> f32,
        paint: impl Fn(Spot) -> Color,
    ) {
        let (width, height) = self.view.size;
        let (x, y) = self.view.pixel(middle);
        let reach = reach * self.view.radius + 2.0;
        let columns = (x - reach).max(0.0) as usize..((x + reach).max(0.0) as usize).min(width);
        let rows = (y - reach).max(0.0) as usize..((y + reach).max(0.0) as usize).min(height);
        let (sine, cosine) = angle.sin_cos();
        for row in rows {
            for column in columns.clone() {
                let place = self.view.place(column as f32 + 0.5, row as f32 + 0.5);
                let (right, down) = (place.0 - middle.0, place.1 - middle.1);
                let local = (right * cosine + down * sine, down * cosine - right * sine);
                let depth = depth(local);
                let coverage = (depth * self.view.radius / 1.3 + 0.5).clamp(0.0, 1.0);
                if coverage == 0.0 {
                    continue;
                }
                let inward = (depth / deepest).clamp(0.0, 1.0);
                let (bump, fineness) = stuff.bumps;
                let uneven = if bump == 0.0 {
                    0.0
                } else {
                    bump * (noise::rough(self.seed, place.0 * fineness, place.1 * fineness, 3) - 0.5)
                };
                let rise = stuff.rise * stuff.profile.at(inward) + uneven * step(0.0, 0.3, inward);
                let pixel = row * width + column;
                let ground = self.heights[pixel];
                if stuff.level + rise < ground {
                    continue;
                }
                let color = paint(Spot { place, local, inward });
                self.colors[pixel] = self.colors[pixel].mix(color, coverage);
                self.heights[pixel] = noise::lerp(ground, stuff.level + rise, coverage);
                self.gloss[pixel] = noise::lerp(self.gloss[pixel], stuff.gloss, coverage);
            }
        }
    }

    /// An ellipse of these half axes, its outline wavering by the share `waver`.
    pub fn ellipse(
        &mut self,
        middle: Place,
        (across, along): (f32, f32),
        angle: f32,
        waver: f32,
        stuff: Stuff,
        paint: impl Fn(Spot) -> Color,
    ) {
        let seed =
            self.seed ^ (middle.0 * 7919.0) as i32 as u32 ^ ((middle.1 * 104_729.0) as i32 as u32).rotate_left(9);
        let deepest = across.min(along);
        let depth = move |(u, v): Place| {
            let (u, v) = (u / across, v / along);
            let distance = (u * u + v * v).sqrt();
            let outline = if waver == 0.0 {
                1.0
            } else {
                let around = distance.max(1e-6);
                1.0 + waver * (noise::rough(seed, 2.2 * u / around + 9.0, 2.2 * v / around + 9.0, 2) - 0.5) * 2.0
            };
            (outline - distance) * deepest
        };
        self.lay((middle, angle, across.max(along) * (1.0 + waver)), deepest, stuff, depth, paint);
    }

    /// A ring of this radius, as thick as `thickness`.
    pub fn ring(
        &mut self,
        middle: Place,
        (radius, thickness): (f32, f32),
        (squash, angle): (f32, f32),
        stuff: Stuff,
        paint: impl Fn(Spot) -> Color,
    ) {
        let half = thickness / 2.0;
        let depth = move |(u, v): Place| half - ((u * u + (v / squash) * (v / squash)).sqrt() - radius).abs();
        self.lay((middle, angle, radius + half), half, stuff, depth, paint);
    }

    /// A box of these half sides with rounded corners.
    pub fn slab(
        &mut self,
        middle: Place,
        (across, along): (f32, f32),
        corner: f32,
        angle: f32,
        stuff: Stuff,
        paint: impl Fn(Spot) -> Color,
    ) {
        let depth = move |(u, v): Place| {
            let (right, down) = (u.abs() - across + corner, v.abs() - along + corner);
            corner - right.max(0.0).hypot(down.max(0.0)) - right.max(down).min(0.0)
        };
        self.lay((middle, angle, across.hypot(along)), across.min(along), stuff, depth, paint);
    }

    /// A triangle whose tip points along `angle`: a wedge of cheese or cake.
    pub fn wedge(
        &mut self,
        middle: Place,
        (length, half_width): (f32, f32),
        angle: f32,
        stuff: Stuff,
        paint: impl Fn(Spot) -> Color,
    ) {
        let slope = length.hypot(half_width);
        let depth = move |(u, v): Place| {
            let from_base = u + length * 0.4;
            let from_side = ((length * 0.6 - u) * half_width - v.abs() * length) / slope;
            from_base.min(from_side)
        };
        self.lay((middle, angle, length.max(half_width)), half_width * 0.55, stuff, depth, paint);
    }

    /// A strand through these places: a noodle, a stalk, a sauce's line.
    pub fn strand(&mut self, places: &[Place], radius: f32, stuff: Stuff, paint: impl Fn(Spot) -> Color + Copy) {
        for pair in places.windows(2) {
            let ((from_u, from_v), (to_u, to_v)) = (pair[0], pair[1]);
            let middle = ((from_u + to_u) / 2.0, (from_v + to_v) / 2.0);
            let (length, angle) = ((to_u - from_u).hypot(to_v - from_v), (to_v - from_v).atan2(to_u - from_u));
            let depth = move |(u, v): Place| radius - (u.abs() - length / 2.0).max(0.0).hypot(v);
            self.lay((middle, angle, length / 2.0 + radius), radius, stuff, depth, paint);
        }
    }

    /// Cuts a bowl's inside out of its block: from `rim` steeply down to `fill` at `radius`, in the colour `inside`.
    pub fn hollow(&mut self, rim: f32, radius: f32, fill: f32, inside: Color) {
        let (width, height) = self.view.size;
        for y in 0..height {
            for x in 0..width {
                let (u, v) = self.view.place(x as f32 + 0.5, y as f32 + 0.5);
                let away = u.hypot(v);
                let coverage = ((rim - away) * self.view.radius / 1.3 + 0.5).clamp(0.0, 1.0);
                if coverage > 0.0 {
                    let pixel = y * width + x;
                    let floor = noise::lerp(fill - 0.01, self.heights[pixel].max(fill), step(radius - 0.02, rim, away));
                    self.heights[pixel] = floor;
                    self.colors[pixel] = self.colors[pixel].mix(inside, coverage);
                    self.gloss[pixel] = 0.55;
                }
            }
        }
    }
}
