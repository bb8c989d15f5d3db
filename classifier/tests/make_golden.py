"""What models/food64 answers for our own pictures, by other hands: Pillow decodes and resizes, onnxruntime runs.

    /tmp/pictures/bin/pip install pillow numpy onnxruntime safetensors
    /tmp/pictures/bin/python classifier/tests/make_golden.py
"""

import json
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps
from safetensors.numpy import load_file

HERE = Path(__file__).parent
MODEL = HERE.parent.parent / "models/food64"
PICTURES = ["baseline.jpg", "gray.jpg", "orientation-6.jpg", "rgb.png", "lossless.webp", "plain.gif", "plate.jpg",
            "plate-progressive.jpg", "plate.png", "plate.webp"]

settings = tomllib.loads((MODEL / "manifest.toml").read_text())["input"]
session = onnxruntime.InferenceSession(MODEL / "backbone.onnx")
head = load_file(MODEL / "head.safetensors")


def answer(path):
    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    size = (settings["width"], settings["height"])
    square = picture.crop((left, top, left + side, top + side)).resize(size, Image.BILINEAR)
    values = (np.asarray(square, np.float32) / 255 - settings["mean"]) / settings["std"]
    embedding = session.run(None, {"input": values.transpose(2, 0, 1)[None].astype(np.float32)})[0][0]
    logits = head["weight"] @ embedding + head["bias"]
    shares = np.exp(logits - logits.max())
    return [round(float(share), 5) for share in shares / shares.sum()]


answers = {name: answer(HERE / "pictures" / name) for name in PICTURES}
lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items())
(HERE / "food64-golden.json").write_text("{\n" + lines + "\n}\n")
