"""Photos for the benchmarks, drawn here, the same in every run: plates with food-like noise, and grain like a phone's.

    photos.py FOLDER

Real photos would be better and are not ours to publish; what matters for time is that these have their size in pixels
and, at the same quality, about their size in bytes.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

SIZES = {"small": (640, 480), "web": (1600, 1200), "phone": (4000, 3000)}
EACH = {"small": 6, "web": 4, "phone": 3}
EXIF_ORIENTATION = 0x0112


def noise(rng, width, height, cell):
    """Smooth noise with spots of about `cell` pixels, between -1 and 1."""
    coarse = rng.uniform(-1, 1, (height // cell + 2, width // cell + 2)).astype(np.float32)
    picture = Image.fromarray(coarse).resize((width, height), Image.BICUBIC)
    return np.asarray(picture)


def photo(rng, width, height):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = np.hypot((x - width / 2) / height, (y - height / 2) / height)
    plate = np.clip((0.42 - distance) * 40, 0, 1)[..., None]
    food = np.clip((0.3 + 0.05 * noise(rng, width, height, height // 6) - distance) * 30, 0, 1)[..., None]
    texture = sum(noise(rng, width, height, max(2, height // cells)) / (1 + index)
                  for index, cells in enumerate([8, 30, 120, 400]))[..., None]
    table, china, colour = (rng.uniform(low, high, 3).astype(np.float32) for low, high in [(60, 140), (200, 240), (40, 220)])
    values = table + 12 * texture
    values = values * (1 - plate) + china * plate
    values = values * (1 - food) + (colour + 45 * texture) * food
    values += 7 * rng.standard_normal((height, width, 1), np.float32)
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (width, height) in SIZES.items():
        for number in range(EACH[name]):
            path = folder / f"{name}-{number}.jpg"
            if path.exists():
                continue
            rng = np.random.default_rng([width, number])
            exif = Image.Exif()
            # Phones are held upright: their sensor lies on its side.
            exif[EXIF_ORIENTATION] = 6 if name == "phone" else 1
            partial = path.with_suffix(".partial")
            photo(rng, width, height).save(partial, "JPEG", quality=90, subsampling="4:2:0", exif=exif)
            partial.rename(path)


main()
