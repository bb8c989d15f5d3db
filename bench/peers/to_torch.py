"""Makes a torch module of a model directory, backbone and head: `to_torch.py MODEL OUT.pth`."""

import sys

import numpy as np
import onnx
import torch
from onnx2torch import convert
from torch import nn

from model_directory import ModelDirectory

source, target = sys.argv[1:]
directory = ModelDirectory(source)
head = nn.Linear(directory.weight.shape[1], directory.weight.shape[0])
with torch.no_grad():
    head.weight.copy_(torch.from_numpy(np.array(directory.weight)))
    head.bias.copy_(torch.from_numpy(np.array(directory.bias)))
model = nn.Sequential(convert(onnx.load(directory.backbone)), nn.Flatten(), head).eval()
torch.save(model, target)
