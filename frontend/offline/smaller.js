// A smaller picture of a photo, for whoever asked for that or has a slow connection. Fetched when the first is wanted.

/** The longer side of what is sent, in pixels: far more than the classifier looks at, and enough to label by. */
const LONGEST = 1600;

/**
 * The photo with its longer side brought down to LONGEST, as a JPEG, upright; `scaledFrom` is what it was, as "4032x3024".
 * Nothing where it is small already, moves, or would not get smaller.
 */
export async function smaller(file) {
  // Of what moves one picture would be left.
  if (file.type === "image/gif") return;
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const { width, height } = picture;
  const scale = LONGEST / Math.max(width, height);
  if (scale >= 1) return;
  const [across, down] = [width, height].map((side) => Math.max(Math.round(side * scale), 1));
  const canvas = globalThis.OffscreenCanvas
    ? new OffscreenCanvas(across, down)
    : Object.assign(document.createElement("canvas"), { width: across, height: down });
  const paper = canvas.getContext("2d");
  // What is transparent is white on the server too.
  paper.fillStyle = "#fff";
  paper.fillRect(0, 0, across, down);
  paper.imageSmoothingQuality = "high";
  paper.drawImage(picture, 0, 0, across, down);
  picture.close();
  const type = "image/jpeg";
  const quality = 0.85;
  const blob = await (canvas.convertToBlob?.({ type, quality }) ?? new Promise((done) => canvas.toBlob(done, type, quality)));
  if (blob?.type !== type || blob.size >= file.size) return;
  return Object.assign(new File([blob], file.name, { type }), { scaledFrom: `${width}x${height}` });
}
