// The worker: loads module and model, then answers one photo after the other.

/** The smallest module with a vector in it. A browser that takes it has `simd128`. */
const VECTORS = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

const LIVE = "/api/v1/models/live/device";

async function bytes(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function load() {
  const kind = WebAssembly.validate(VECTORS) ? "simd" : "plain";
  // Where the visitor saves data, the page has given the worker this name: then the model that is kept here will do, because
  // a newer one would have to be fetched.
  const kept = self.name === "kept" ? await caches.match(LIVE, { cacheName: "gourmetgram-device" }) : undefined;
  const live = kept ?? (await fetch(LIVE));
  if (!live.ok) throw new Error(`the live model is not for devices (${live.status})`);
  const { manifest, backbone, head } = await live.json();
  const [module, text, weights, last] = await Promise.all([
    import(`./${kind}/classifier.js`).then(async (module) => {
      await module.default();
      return module;
    }),
    bytes(manifest),
    bytes(backbone),
    head ? bytes(head) : undefined,
  ]);
  const classifier = new module.Classifier(new TextDecoder().decode(text), weights, last);
  postMessage({ ready: kind });
  return classifier;
}

const loaded = load().catch((error) => {
  postMessage({ failed: String(error) });
  return null;
});

/** The answer, or null where this file has none. */
async function classify(classifier, file) {
  try {
    return classifier.classify(new Uint8Array(await file.arrayBuffer()));
  } catch (error) {
    // A panic leaves the module in no state to go on; a photo that cannot be read is only that.
    if (error instanceof WebAssembly.RuntimeError) postMessage({ failed: String(error) });
    return null;
  }
}

let before = loaded;
onmessage = ({ data: { id, file } }) => {
  before = before.then(async () => {
    const classifier = await loaded;
    postMessage({ id, said: classifier && (await classify(classifier, file)) });
  });
};
