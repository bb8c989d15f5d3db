"""The tutorial's inference contract on FastAPI and onnxruntime: base64 in, label out.

    MODEL=models/food64 uvicorn onnxruntime_server:app --port 8000

One thread a session call: FastAPI runs the handler in a pool of threads, so several photos are classified side by side,
which gives more than one photo on several threads.
"""

import base64
import io
import os

import numpy as np
import onnxruntime
from fastapi import FastAPI, HTTPException
from PIL import Image
from pydantic import BaseModel

from model_directory import ModelDirectory

model = ModelDirectory(os.environ["MODEL"])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(model.backbone, options, providers=["CPUExecutionProvider"])
input_name = session.get_inputs()[0].name
app = FastAPI()


class ImageRequest(BaseModel):
    image: str


class PredictionResponse(BaseModel):
    prediction: str
    probability: float


def preprocess(picture):
    picture = picture.convert("RGB")
    pixels = picture.resize(model.size, Image.BILINEAR, box=model.box(picture))
    values = (np.asarray(pixels, np.float32) / 255 - model.mean) / model.std
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/predict")
def predict(request: ImageRequest) -> PredictionResponse:
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(request.image)))
        embedding = session.run(None, {input_name: preprocess(picture)})[0].reshape(-1)
    except Exception as error:
        raise HTTPException(status_code=500, detail=str(error)) from error
    logits = model.weight @ embedding + model.bias
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    top = int(shares.argmax())
    return PredictionResponse(prediction=model.classes[top], probability=float(shares[top]))
