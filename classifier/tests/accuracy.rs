//! The default model's card tells the truth: its accuracy, measured again by this crate on photos held out of training.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use gourmetgram_classifier::{Model, decode, probe};

/// What models/food64/MODEL_CARD.md says of held-out photos.
const ON_THE_CARD: f64 = 0.679;

/// The Food-101 dishes of each Food-11 class, in the order of the classes; as models/food64/train.py has them.
const DISHES: [&str; 11] = [
    "garlic_bread grilled_cheese_sandwich club_sandwich french_toast hamburger pizza pancakes waffles bruschetta \
     croque_madame",
    "cheese_plate frozen_yogurt",
    "apple_pie baklava bread_pudding cannoli carrot_cake cheesecake chocolate_cake chocolate_mousse creme_brulee \
     cup_cakes donuts ice_cream macarons panna_cotta red_velvet_cake strawberry_shortcake tiramisu beignets",
    "deviled_eggs omelette eggs_benedict huevos_rancheros",
    "french_fries onion_rings fried_calamari spring_rolls samosa fish_and_chips churros",
    "baby_back_ribs beef_carpaccio beef_tartare filet_mignon pork_chop prime_rib steak peking_duck chicken_wings",
    "pad_thai ramen spaghetti_bolognese spaghetti_carbonara lasagna macaroni_and_cheese ravioli gnocchi pho",
    "fried_rice risotto bibimbap paella",
    "ceviche crab_cakes grilled_salmon mussels oysters sashimi scallops tuna_tartare sushi",
    "clam_chowder french_onion_soup hot_and_sour_soup lobster_bisque miso_soup",
    "beet_salad caesar_salad caprese_salad edamame greek_salad seaweed_salad guacamole",
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test must be seen, and so must the number that was measured")]
fn the_default_model_is_as_accurate_as_its_card_says() {
    let shared = std::env::var_os("GOURMETGRAM_SHARED").map_or_else(|| repository().join("../shared"), PathBuf::from);
    let path = shared.join("corpus/food101-64px.zip");
    let Ok(file) = File::open(&path) else {
        eprintln!("skipped: {} is absent", path.display());
        return;
    };
    let card = std::fs::read_to_string(repository().join("models/food64/MODEL_CARD.md")).unwrap();
    assert!(card.contains(&format!("**{:.1} %**", ON_THE_CARD * 100.0)), "the card says another number than this test");

    let model = Model::load(&repository().join("models/food64")).unwrap();
    let mut archive = zip::ZipArchive::new(file).unwrap();
    let (mut right, mut seen) = (0_u32, 0_u32);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let Some(dish) = name.strip_prefix("test/").and_then(|rest| rest.split('/').next()) else { continue };
        let Some(class) = DISHES.iter().position(|dishes| dishes.split(' ').any(|known| known == dish)) else {
            continue;
        };
        let mut photo = Vec::new();
        entry.read_to_end(&mut photo).unwrap();
        let info = probe(&photo, &Default::default()).unwrap();
        let answer = model.classify(&decode(&photo, &info, model.input_side()).unwrap()).unwrap();
        seen += 1;
        right += u32::from(usize::from(answer.top.0) == class);
    }
    let measured = f64::from(right) / f64::from(seen);
    eprintln!("accuracy on {seen} held-out photos: {:.1} %", measured * 100.0);
    assert!(seen > 1_000, "{seen} photos are too few to say anything");
    // Two standard errors of the card's sample and of this one: what two honest measurements may differ by.
    let tolerance = 2.0 * (ON_THE_CARD * (1.0 - ON_THE_CARD) * (1.0 / 4173.0 + 1.0 / f64::from(seen))).sqrt();
    assert!((measured - ON_THE_CARD).abs() < tolerance, "{measured:.4}, allowed {ON_THE_CARD} ± {tolerance:.4}");
}
