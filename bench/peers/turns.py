"""The peer's half of a pair that takes turns: `forward MODEL` or `photo MODEL PHOTO...`, on Pillow and onnxruntime.

For each line with a number of runs on standard input: makes them, and answers with the seconds each took, as JSON.
`photo-draft` lets Pillow scale a JPEG while it decodes, which few servers ask it to do.
"""

import io
import json
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

from model_directory import ModelDirectory


def softmax(logits):
    shares = np.exp(logits - logits.max())
    return shares / shares.sum()


class Classifier:
    def __init__(self, directory):
        self.model = ModelDirectory(directory)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.model.backbone, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def tensor(self, pixels):
        values = (np.asarray(pixels, np.float32) / 255 - self.model.mean) / self.model.std
        return np.ascontiguousarray(values.transpose(2, 0, 1)[None])

    def forward(self, pixels):
        embedding = self.session.run(None, {self.input: self.tensor(pixels)})[0].reshape(-1)
        return softmax(self.model.weight @ embedding + self.model.bias)

    def photo(self, data, draft):
        picture = Image.open(io.BytesIO(data))
        if draft:
            width, height = self.model.size
            picture.draft("RGB", (2 * width, 2 * height))
        picture = ImageOps.exif_transpose(picture).convert("RGB")
        return self.forward(picture.resize(self.model.size, Image.BILINEAR, box=self.model.box(picture)))


def work(command, directory, photos):
    classifier = Classifier(directory)
    if command == "forward":
        width, height = classifier.model.size
        pixels = (np.arange(width * height * 3) * 7919 % 251).astype(np.uint8).reshape(height, width, 3)
        return lambda: classifier.forward(pixels)
    files = [Path(photo).read_bytes() for photo in photos]
    return lambda: [classifier.photo(data, command == "photo-draft") for data in files]


def main():
    command, directory, *photos = sys.argv[1:]
    run = work(command, directory, photos)
    for line in sys.stdin:
        seconds = []
        for _ in range(int(line)):
            began = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - began)
        print(json.dumps(seconds), flush=True)


main()
