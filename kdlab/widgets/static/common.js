// What all views share: elements, state that is synced with Python, sliders, bars.
// No imports: Python puts maths.js, this file and the view's own file into one module.

const SVG = "http://www.w3.org/2000/svg";
// On a focusable element itself: JupyterLab then leaves its keys alone.
const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" };
const SEND_EVERY_MS = 120;
const ANNOUNCE_AFTER_MS = 600;

function put(node, attributes, parent, text) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  parent?.append(node);
  return node;
}

/** A new HTML element with attributes, in its parent. */
export function html(tag, attributes = {}, parent, text) {
  return put(document.createElement(tag), attributes, parent, text);
}

/** A new SVG element with attributes, in its parent. */
export function svg(tag, attributes = {}, parent, text) {
  return put(document.createElementNS(SVG, tag), attributes, parent, text);
}

/** A drawing of this size: shrinks with its parent, so that text never grows beyond 12 px. */
export function drawing(parent, [width, height], label, role = "img") {
  const shape = { viewBox: `0 0 ${width} ${height}`, style: `max-width: ${width}px` };
  return svg("svg", { class: "kd-chart", ...shape, role, "aria-label": label }, parent);
}

/** Change an element's text in place, and only if it differs. */
export function setText(node, text) {
  const leaf = node.firstChild ?? node.appendChild(document.createTextNode(""));
  if (leaf.data !== text) leaf.data = text;
}

/** A text of at most so many characters: a longer one ends in an ellipsis. */
export function shorten(text, most) {
  const characters = Array.from(text);
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}\u2026` : text;
}

/** A class name in a drawing, shortened; the whole name shows under the mouse. */
export function nameText(attributes, parent, name, most) {
  const node = svg("text", attributes, parent, shorten(name, most));
  if (node.textContent !== name) svg("title", {}, node, name);
  return node;
}

/** The float32 numbers of a synced buffer. */
export function floats(buffer) {
  return new Float32Array(bytes(buffer).slice().buffer);
}

/** The bytes of a synced buffer. */
export function bytes(buffer) {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/**
 * A view's state, the same as the Python traits of these names.
 *
 * `set` draws in the next frame and tells Python at most every 120 ms, the last value
 * always; a trait set in Python draws too. `stop` lets go of everything.
 */
export function connect(model, names, draw) {
  const state = Object.fromEntries(names.map((name) => [name, model.get(name)]));
  let frame = 0;
  let timer = 0;
  let sent = -Infinity;
  const unsent = new Set();
  const redraw = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      draw(state);
    });
  };
  const send = () => {
    timer = 0;
    sent = performance.now();
    unsent.clear();
    model.save_changes();
  };
  const follow = (name) => () => {
    if (state[name] === model.get(name)) return;
    // An answer to an older value: what was set here since is on its way.
    if (unsent.has(name)) return void model.set(name, state[name]);
    state[name] = model.get(name);
    redraw();
  };
  const listeners = names.map((name) => [`change:${name}`, follow(name)]);
  for (const [event, listener] of listeners) model.on(event, listener);
  function set(name, value) {
    if (state[name] === value) return;
    state[name] = value;
    unsent.add(name);
    model.set(name, value);
    redraw();
    timer ||= setTimeout(send, Math.max(0, sent + SEND_EVERY_MS - performance.now()));
  }
  function stop() {
    cancelAnimationFrame(frame);
    for (const [event, listener] of listeners) model.off(event, listener);
    if (timer) {
      clearTimeout(timer);
      send();
    }
  }
  return { state, set, redraw, stop };
}

/** The view's outermost element, and a signal that removes its listeners. */
export function frame(el, name, label) {
  const listening = new AbortController();
  const attributes = { class: `kd kd-${name}`, role: "group", "aria-label": label };
  const root = html("div", { ...attributes, "data-kd": name }, el);
  return { root, signal: listening.signal, close: () => listening.abort() };
}

/** A polite live region: says the last text once changes have come to rest. */
export function announcer(root, signal) {
  const region = html("div", { class: "kd-hidden", role: "status", "aria-live": "polite" }, root);
  let timer = 0;
  let first = true;
  signal.addEventListener("abort", () => clearTimeout(timer));
  return (text) => {
    clearTimeout(timer);
    if (!first) timer = setTimeout(() => setText(region, text), ANNOUNCE_AFTER_MS);
    first = false;
  };
}

const LINEAR_KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

/** Where a key takes a linear slider, or undefined. Page keys go ten steps. */
export function stepLinear(key, value, { min, max, step }) {
  if (key === "Home") return min;
  if (key === "End") return max;
  if (!(key in LINEAR_KEYS)) return undefined;
  const steps = Math.round(value / step) + LINEAR_KEYS[key];
  return Math.min(max, Math.max(min, Number((steps * step).toPrecision(12))));
}

/** The same on a log scale: arrows go to the next two-digit number, page keys by 2. */
export function stepLog(key, value, { min, max }) {
  if (key === "Home") return min;
  if (key === "End") return max;
  if (!(key in LINEAR_KEYS)) return undefined;
  const up = LINEAR_KEYS[key] > 0;
  const unit = 10 ** (Math.floor(Math.log10(value) + 1e-9) - 1);
  // Below a power of ten the next number down has the smaller unit: 1.0 goes to 0.99.
  const down = value / unit > 10 + 1e-6 ? unit : unit / 10;
  const next = key.startsWith("Page") ? (up ? value * 2 : value / 2) : up ? value + unit : value - down;
  return Math.min(max, Math.max(min, twoDigits(next)));
}

/**
 * A labelled slider. `format` gives the text shown, and read aloud with `say`.
 *
 * `set(value)` moves it without calling `onInput`; `rename(label)` is for what it moves next.
 */
export function slider(parent, signal, options) {
  const { label, min, max, step = 1, log = false, format = String, say = format, onInput } = options;
  const position = log ? Math.log10 : (value) => value;
  const box = html("label", { class: "kd-slider" }, parent);
  const words = html("span", { class: "kd-label" }, box, label);
  const input = html("input", {
    type: "range",
    min: position(min),
    max: position(max),
    step: log ? "any" : step,
    "aria-label": options.name ?? label,
    ...OWN_KEYS,
  }, box);
  const shown = html("span", { class: "kd-value", "aria-hidden": "true" }, box);
  let current = min;
  const clamp = (value) => Math.min(max, Math.max(min, value));
  const read = () => (log ? clamp(twoDigits(10 ** input.valueAsNumber)) : input.valueAsNumber);
  function set(value) {
    current = value;
    // Under the mouse the thumb lies between two values: left there, it costs no second layout.
    if (read() !== value) input.value = position(value);
    if (shown.textContent === format(value)) return;
    input.setAttribute("aria-valuetext", say(value));
    setText(shown, format(value));
  }
  function move(value) {
    set(value);
    onInput(value);
  }
  // Everything else is drawn in the next frame, once: see `connect`.
  input.addEventListener("input", () => onInput(read()), { signal });
  input.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const next = (log ? stepLog : stepLinear)(event.key, current, { min, max, step });
    if (next === undefined) return;
    event.preventDefault();
    if (next !== current) move(next);
  }, { signal });
  function rename(text) {
    setText(words, text);
    input.setAttribute("aria-label", text);
  }
  return { set, rename, input };
}

/** The slider of T: 0.1 to 100 on a log scale. */
export function temperatureSlider(parent, signal, onInput) {
  const format = (value) => `T = ${value < 10 ? value.toPrecision(2) : Number(value.toPrecision(3))}`;
  const say = (value) => `${Number(value.toPrecision(3))}`;
  const range = { label: "Temperature T", name: "Temperature", min: 0.1, max: 100, log: true };
  return slider(parent, signal, { ...range, format, say, onInput });
}

/** A labelled check box; `set(on)` changes it without calling `onInput`. */
export function toggle(parent, signal, { label, onInput }) {
  const box = html("label", { class: "kd-toggle" }, parent);
  const input = html("input", { type: "checkbox", ...OWN_KEYS }, box);
  html("span", {}, box, label);
  input.addEventListener("change", () => onInput(input.checked), { signal });
  return { input, set: (on) => { input.checked = on; } };
}

/** A probability in few characters: 0.123, 0.0012, 1.2e-7. */
export function formatProbability(p) {
  if (p >= 0.01) return p.toFixed(3);
  if (p >= 0.001) return p.toFixed(4);
  return p === 0 ? "0" : p.toExponential(1);
}
