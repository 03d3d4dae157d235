// Images of a data set on canvases, and a way to choose one.

const STRIP_LIMIT = 20;

/** Draw one image of `images` ({buffer, count, channels, height, width}) on a canvas. */
export function drawImage(canvas, images, index) {
  const { channels, height, width } = images.shape;
  const pixels = height * width;
  const start = index * channels * pixels;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const data = context.createImageData(width, height);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) {
      const value = images.bytes[start + (channels === 1 ? 0 : c) * pixels + i];
      // One channel is ink: dark on light, as on paper.
      data.data[4 * i + c] = channels === 1 ? 255 - value : value;
    }
    data.data[4 * i + 3] = 255;
  }
  context.putImageData(data, 0, 0);
}

/** The synced images as {bytes, shape}, or null if there are none. */
export function readImages(model) {
  const [count, channels, height, width] = model.get("_image_shape");
  if (!count) return null;
  return { bytes: bytes(model.get("_images")), shape: { count, channels, height, width } };
}

function exampleButtons(parent, signal, count, images, onChoose) {
  const group = html("div", { class: "kd-strip", role: "group", "aria-label": "Examples" }, parent);
  const buttons = Array.from({ length: count }, (_, i) => {
    const button = html("button", { type: "button", "aria-label": `Example ${i}`, ...OWN_KEYS }, group);
    if (images) drawImage(html("canvas", { "aria-hidden": "true" }, button), images, i);
    else setText(button, String(i));
    button.addEventListener("click", () => onChoose(i), { signal });
    return button;
  });
  return (chosen) => buttons.forEach((b, i) => b.setAttribute("aria-pressed", i === chosen));
}

/** Buttons for a few examples, a slider for many, nothing for one; returns "show this one". */
export function exampleChooser(parent, signal, count, images, onChoose) {
  if (count === 1) return () => {};
  if (count <= STRIP_LIMIT) return exampleButtons(parent, signal, count, images, onChoose);
  return slider(parent, signal, { label: "Example", min: 0, max: count - 1, onInput: onChoose }).set;
}
