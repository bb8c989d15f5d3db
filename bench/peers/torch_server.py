"""The tutorial's inference contract on FastAPI and torch, the way the tutorial does it: base64 in, label out.

    MODEL=models/food64 TORCH_MODEL=food64.pth uvicorn torch_server:app --port 8000

TORCH_MODEL is what `to_torch.py` made of the same ONNX file.
"""

import base64
import io
import os

import torch
from fastapi import FastAPI, HTTPException
from PIL import Image
from pydantic import BaseModel
from torchvision import transforms

from model_directory import ModelDirectory

directory = ModelDirectory(os.environ["MODEL"])
# FastAPI calls the handler in a pool of threads: with one thread each, torch does not fight itself for the cores.
torch.set_num_threads(1)
model = torch.load(os.environ["TORCH_MODEL"], map_location="cpu", weights_only=False)
model.eval()
transform = transforms.Compose([
    transforms.ToTensor(),
    transforms.Normalize(mean=directory.mean.tolist(), std=directory.std.tolist()),
])
app = FastAPI()


class ImageRequest(BaseModel):
    image: str


class PredictionResponse(BaseModel):
    prediction: str
    probability: float


def preprocess(picture):
    picture = picture.convert("RGB")
    return transform(picture.resize(directory.size, Image.BILINEAR, box=directory.box(picture))).unsqueeze(0)


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/predict")
def predict(request: ImageRequest) -> PredictionResponse:
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(request.image)))
        with torch.no_grad():
            probabilities = torch.softmax(model(preprocess(picture)), dim=1)
            top = int(probabilities.argmax())
    except Exception as error:
        raise HTTPException(status_code=500, detail=str(error)) from error
    return PredictionResponse(prediction=directory.classes[top], probability=float(probabilities[0, top]))
