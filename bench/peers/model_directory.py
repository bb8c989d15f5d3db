"""A model directory of ours, as a peer reads it: `manifest.toml`, `backbone.onnx`, `head.safetensors`."""

import json
import struct
import tomllib
from pathlib import Path

import numpy as np


class ModelDirectory:
    def __init__(self, path):
        self.path = Path(path)
        manifest = tomllib.loads((self.path / "manifest.toml").read_text())
        self.classes = manifest["classes"]
        self.size = (manifest["input"]["width"], manifest["input"]["height"])
        self.mean = np.array(manifest["input"]["mean"], np.float32)
        self.std = np.array(manifest["input"]["std"], np.float32)
        self.is_centre_square = manifest["input"]["resize"] == "center-square"
        self.backbone = self.path / "backbone.onnx"
        head = read_safetensors(self.path / "head.safetensors")
        self.weight, self.bias = head["weight"], head["bias"]

    def box(self, picture):
        """The part of a picture that is kept, as `Image.resize` takes it."""
        width, height = picture.size
        if not self.is_centre_square:
            return (0, 0, width, height)
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return (left, top, left + side, top + side)


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    body = data[8 + length:]
    return {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
        for name, entry in header.items()
    }
