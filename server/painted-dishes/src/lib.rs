//! Photos of dishes that nobody cooked: painted by a program, so that nobody has to be asked for them.
//!
//! A photo is a function of a seed and a number: what it shows, how it is lit, and how well it was taken. A dish is
//! built as a landscape of heights and colours, lit from one side, and seen through a phone's camera that is sometimes
//! held badly. What was painted is the truth about it, which no collected photo offers.

mod camera;
mod canvas;
mod color;
mod dishes;
mod light;
mod noise;
mod table;

use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

pub use camera::Flaw;

/// The largest file of a painted photo, in bytes.
pub const LARGEST_FILE: usize = 60_000;
/// One photo in so many shows no food.
const NOT_FOOD_EVERY: u32 = 25;

/// What a photo shows: a class of Food-11, or no food at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// Slices, a loaf, pancakes.
    Bread,
    /// Cheese, yogurt.
    DairyProduct,
    /// Doughnuts, macarons, cake.
    Dessert,
    /// Fried, boiled, or an omelette.
    Egg,
    /// Chips, onion rings, samosas.
    FriedFood,
    /// Steak, slices, ribs.
    Meat,
    /// Spaghetti, ravioli, short pasta.
    NoodlesPasta,
    /// A heap of rice, fried rice, paella.
    Rice,
    /// Sushi, prawns, mussels.
    Seafood,
    /// A bowl of it.
    Soup,
    /// Salad, fruit, sliced vegetables.
    VegetableFruit,
    /// A desk, an empty plate, a view from a window.
    NotFood,
}

impl Subject {
    /// The foods, in Food-11's order.
    pub const FOODS: [Self; 11] = [
        Self::Bread,
        Self::DairyProduct,
        Self::Dessert,
        Self::Egg,
        Self::FriedFood,
        Self::Meat,
        Self::NoodlesPasta,
        Self::Rice,
        Self::Seafood,
        Self::Soup,
        Self::VegetableFruit,
    ];

    /// Food-11's name of the class; `not food` for what is none.
    pub fn label(self) -> &'static str {
        match self {
            Self::Bread => "Bread",
            Self::DairyProduct => "Dairy product",
            Self::Dessert => "Dessert",
            Self::Egg => "Egg",
            Self::FriedFood => "Fried food",
            Self::Meat => "Meat",
            Self::NoodlesPasta => "Noodles/Pasta",
            Self::Rice => "Rice",
            Self::Seafood => "Seafood",
            Self::Soup => "Soup",
            Self::VegetableFruit => "Vegetable/Fruit",
            Self::NotFood => "not food",
        }
    }

    /// A folder's name for photos of it: `class_00` to `class_10`, or `not_food`.
    pub fn folder(self) -> String {
        match Self::FOODS.iter().position(|food| *food == self) {
            Some(index) => format!("class_{index:02}"),
            None => "not_food".to_owned(),
        }
    }
}

/// A photo that is yet to be painted: cheap to have many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Photo {
    seed: u64,
    number: u32,
    subject: Subject,
}

impl Photo {
    /// The photo of this number in the series of `seed`. Subjects take turns, so that every class has its share.
    pub fn new(seed: u64, number: u32) -> Self {
        let foods = Subject::FOODS.len() as u32;
        let subject = if number % NOT_FOOD_EVERY == NOT_FOOD_EVERY - 1 {
            Subject::NotFood
        } else {
            Subject::FOODS[((number - number / NOT_FOOD_EVERY) % foods) as usize]
        };
        Self { seed, number, subject }
    }

    /// What it shows.
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// A file name, the same for the same photo.
    pub fn file_name(&self) -> String {
        format!("painted-{}-{:05}.jpg", self.seed, self.number)
    }

    /// What goes wrong while it is taken, if anything does.
    pub fn flaw(&self) -> Option<Flaw> {
        self.begin().1
    }

    fn begin(&self) -> (ChaCha8Rng, Option<Flaw>) {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(u64::from(self.number) + 1);
        let flaw = Flaw::draw(&mut random);
        (random, flaw)
    }

    /// Paints it: a JPEG file of at most [`LARGEST_FILE`] bytes.
    pub fn paint(&self) -> Vec<u8> {
        let (mut random, flaw) = self.begin();
        let shape = *[(800, 600), (600, 800), (680, 680), (864, 648)].choose(&mut random).unwrap_or(&(800, 600));
        let view = camera::frame(shape, flaw, &mut random);
        let mut canvas = canvas::Canvas::new(view, random.random());
        dishes::serve(self.subject, &mut canvas, &mut random);
        let lit = light::shine(canvas, &mut random);
        camera::take(lit, flaw, &mut random)
    }
}
