"""Draws many small pictures, each another, in moments: where their number matters and not what is on them.

    tiles.py FOLDER COUNT SEED
"""

import random
import sys
from pathlib import Path

from PIL import Image

folder, count, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
folder.mkdir(parents=True)
random.seed(seed)
for number in range(count):
    picture = Image.frombytes("RGB", (4, 4), random.randbytes(48)).resize((96, 96), Image.BICUBIC)
    picture.save(folder / f"{number:06}.jpg", quality=80)
