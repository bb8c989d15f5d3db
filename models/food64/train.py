"""How food64 was trained: a small residual network on photos of 64 x 64 pixels, from nothing, on two CPU cores.

Input is a zip of Food-101 photos, `train/<dish>/*.jpg` and `test/<dish>/*.jpg`, 101 dishes. The network learns two
things at once from the same features: which of the 101 dishes it sees, and which of the 11 Food-11 classes. The
second is what we serve; the first makes the features richer, and also uses the photos of dishes without a class.

    python -m venv venv && venv/bin/pip install torch numpy pillow onnx
    venv/bin/python train.py food101.zip --epochs 9 --weights first.pt --out first.onnx
    venv/bin/python train.py food101.zip --epochs 3 --peak-rate 0.12 --start first.pt --out food64.onnx
    gourmetgram model import food64.onnx …

The file it writes takes `input` [batch, 3, 64, 64] (RGB / 255, normalised) and gives `logits` [batch, 11] and
`embedding` [batch, 256]. Softmax is outside.
"""

import argparse
import io
import time
import zipfile
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

SIDE = 64
BATCH = 256
# Of the training photos, for R, G and B; the manifest carries the same numbers.
MEAN = (0.545, 0.444, 0.344)
STD = (0.272, 0.276, 0.281)
NO_CLASS = -1
# One photo in so many of the training folders is held out too, so that the test part has every dish.
HELD_OUT_EVERY = 33

DISHES_OF_CLASS = {
    "Bread": "garlic_bread grilled_cheese_sandwich club_sandwich french_toast hamburger pizza pancakes waffles "
             "bruschetta croque_madame",
    "Dairy product": "cheese_plate frozen_yogurt",
    "Dessert": "apple_pie baklava bread_pudding cannoli carrot_cake cheesecake chocolate_cake chocolate_mousse "
               "creme_brulee cup_cakes donuts ice_cream macarons panna_cotta red_velvet_cake strawberry_shortcake "
               "tiramisu beignets",
    "Egg": "deviled_eggs omelette eggs_benedict huevos_rancheros",
    "Fried food": "french_fries onion_rings fried_calamari spring_rolls samosa fish_and_chips churros",
    "Meat": "baby_back_ribs beef_carpaccio beef_tartare filet_mignon pork_chop prime_rib steak peking_duck "
            "chicken_wings",
    "Noodles/Pasta": "pad_thai ramen spaghetti_bolognese spaghetti_carbonara lasagna macaroni_and_cheese ravioli "
                     "gnocchi pho",
    "Rice": "fried_rice risotto bibimbap paella",
    "Seafood": "ceviche crab_cakes grilled_salmon mussels oysters sashimi scallops tuna_tartare sushi",
    "Soup": "clam_chowder french_onion_soup hot_and_sour_soup lobster_bisque miso_soup",
    "Vegetable/Fruit": "beet_salad caesar_salad caprese_salad edamame greek_salad seaweed_salad guacamole",
}
CLASSES = list(DISHES_OF_CLASS)


@dataclass
class Photos:
    pixels: np.ndarray  # uint8 [n, 64, 64, 3]
    dish: np.ndarray  # [n], index into `dishes`
    food: np.ndarray  # [n], index into CLASSES, or NO_CLASS
    is_test: np.ndarray  # bool [n]
    dishes: list[str]

    @classmethod
    def read(cls, path):
        class_of_dish = {dish: index for index, name in enumerate(CLASSES) for dish in DISHES_OF_CLASS[name].split()}
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".jpg")]
            pixels = np.stack([read_photo(archive.read(name)) for name in names])
        parts, folders = zip(*(name.split("/")[:2] for name in names))
        dishes = sorted(set(folders))
        held_out = np.arange(len(names)) % HELD_OUT_EVERY == 0
        return cls(
            pixels=pixels,
            dish=np.array([dishes.index(folder) for folder in folders]),
            food=np.array([class_of_dish.get(folder, NO_CLASS) for folder in folders]),
            is_test=(np.array(parts) == "test") | held_out,
            dishes=dishes,
        )

    def batch(self, indices):
        """float [n, 3, 64, 64] in 0 to 1."""
        return torch.from_numpy(self.pixels[indices]).permute(0, 3, 1, 2).float() / 255


def read_photo(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB").resize((SIDE, SIDE)))


def normalise(x):
    channels = lambda values: torch.tensor(values).view(1, 3, 1, 1)
    return (x - channels(MEAN)) / channels(STD)


def augment(x, rng):
    """The same crop and mirroring for a batch, another brightness for each photo."""
    if rng.random() < 0.5:
        x = x.flip(3)
    side = int(rng.choice([48, 56, 56, SIDE]))
    top, left = rng.integers(0, SIDE - side + 1, 2)
    brightness = 0.75 + 0.5 * torch.rand(len(x), 1, 1, 1)
    return x[:, :, top:top + side, left:left + side] * brightness


def convolution(inputs, outputs, stride, size=3):
    layer = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """Two convolutions beside a shortcut; begins as the shortcut alone, which makes deep networks start well."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.first = convolution(inputs, outputs, stride)
        self.second = convolution(outputs, outputs, 1)
        same_shape = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same_shape else convolution(inputs, outputs, stride, size=1)
        nn.init.zeros_(self.second[1].weight)

    def forward(self, x):
        return functional.relu(self.second(functional.relu(self.first(x))) + self.shortcut(x))


class Food64(nn.Module):
    """1.55 million parameters, about 60 million multiply-adds at 64 x 64."""

    EMBEDDING = 256

    def __init__(self, dishes):
        super().__init__()
        self.features = nn.Sequential(
            convolution(3, 32, 2), nn.ReLU(),
            Residual(32, 32), Residual(32, 64, 2), Residual(64, 128, 2), Residual(128, 128), Residual(128, 256, 2),
        )
        self.dish = nn.Linear(self.EMBEDDING, dishes)
        self.food = nn.Linear(self.EMBEDDING, len(CLASSES))

    def embedding(self, x):
        return self.features(x).mean((2, 3))

    def forward(self, x):
        embedding = self.embedding(x)
        return self.dish(embedding), self.food(embedding)


class Served(nn.Module):
    """What leaves the workshop: Food-11 logits, and the embedding."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        embedding = self.network.embedding(x)
        return self.network.food(embedding), embedding


@torch.no_grad()
def accuracy(network, photos):
    """Shares right on the test part: of the dishes, and of the classes where a dish has one."""
    network.eval()
    right_dish, right_food = [], []
    for part in np.array_split(np.flatnonzero(photos.is_test), max(1, photos.is_test.sum() // 500)):
        dish, food = (scores.argmax(1).numpy() for scores in network(normalise(photos.batch(part))))
        right_dish.extend(dish == photos.dish[part])
        has_class = photos.food[part] != NO_CLASS
        right_food.extend((food == photos.food[part])[has_class])
    network.train()
    return np.mean(right_dish), np.mean(right_food)


def class_weights(photos):
    """Rare classes count more, though not as much more as they are rarer."""
    food = photos.food[~photos.is_test]
    weights = 1 / np.sqrt(np.bincount(food[food != NO_CLASS], minlength=len(CLASSES)))
    return torch.tensor(weights / weights.mean(), dtype=torch.float32)


def train(photos, epochs, peak_rate, start):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    network = Food64(len(photos.dishes))
    if start:
        network.load_state_dict(torch.load(start))
    training = np.flatnonzero(~photos.is_test)
    weights = class_weights(photos)
    batches = len(training) // BATCH
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=2e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=peak_rate, total_steps=epochs * batches + 1, pct_start=0.05 if start else 0.2)
    began = time.time()
    for epoch in range(epochs):
        for part in np.array_split(rng.permutation(training)[:batches * BATCH], batches):
            dish, food = network(normalise(augment(photos.batch(part), rng)))
            of_dish = functional.cross_entropy(dish, torch.from_numpy(photos.dish[part]), label_smoothing=0.1)
            of_food = functional.cross_entropy(food, torch.from_numpy(photos.food[part]), weight=weights,
                                               ignore_index=NO_CLASS, label_smoothing=0.05)
            optimiser.zero_grad()
            (of_dish + of_food).backward()
            optimiser.step()
            schedule.step()
        dish, food = accuracy(network, photos)
        print(f"epoch {epoch}: dishes {dish:.3f}, classes {food:.3f}, {time.time() - began:.0f} s", flush=True)
    return network.eval()


def export(network, path):
    names = {"input_names": ["input"], "output_names": ["logits", "embedding"]}
    open_batch = {name: {0: "batch"} for name in ("input", "logits", "embedding")}
    torch.onnx.export(Served(network), torch.zeros(1, 3, SIDE, SIDE), path, **names, dynamic_axes=open_batch,
                      opset_version=17, dynamo=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", help="zip of train/<dish>/*.jpg and test/<dish>/*.jpg")
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--peak-rate", type=float, default=0.5, help="highest learning rate of the cycle")
    parser.add_argument("--start", help="weights (.pt) to go on from")
    parser.add_argument("--weights", help="where to keep the weights (.pt)")
    parser.add_argument("--out", default="food64.onnx")
    options = parser.parse_args()
    network = train(Photos.read(options.photos), options.epochs, options.peak_rate, options.start)
    if options.weights:
        torch.save(network.state_dict(), options.weights)
    export(network, options.out)


if __name__ == "__main__":
    main()
