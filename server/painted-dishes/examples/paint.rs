//! Paints the first photos of a series into a folder: `cargo run -p painted-dishes --example paint -- FOLDER COUNT SEED`.

use std::{env, fs, path::PathBuf};

use painted_dishes::Photo;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = env::args().skip(1);
    let folder = PathBuf::from(words.next().ok_or("say which folder")?);
    let count: u32 = words.next().map_or(Ok(44), |count| count.parse())?;
    let seed: u64 = words.next().map_or(Ok(1), |seed| seed.parse())?;
    for number in 0..count {
        let photo = Photo::new(seed, number);
        let class = folder.join(photo.subject().folder());
        fs::create_dir_all(&class)?;
        fs::write(class.join(photo.file_name()), photo.paint())?;
    }
    Ok(())
}
