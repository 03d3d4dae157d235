// A pad to draw on; Python turns the strokes into an image and asks the model.

const PAD = 280;
const CELL = PAD / 28;
const INK = 22;
// Points nearer than this are one: 4 units of the pad are 0.4 pixels of the image.
const NEAR = 4;
const MOST_TRAVELLING = 2;
const PEN_KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function inside(value) {
  return Math.max(0, Math.min(PAD, Math.round(value)));
}

/** The strokes on a canvas; `cursor` is the keyboard's pen, or null. */
function drawStrokes(canvas, strokes, cursor) {
  const sharp = window.devicePixelRatio || 1;
  if (canvas.width !== PAD * sharp) Object.assign(canvas, { width: PAD * sharp, height: PAD * sharp });
  const context = canvas.getContext("2d");
  const colour = getComputedStyle(canvas).color;
  context.setTransform(sharp, 0, 0, sharp, 0, 0);
  context.clearRect(0, 0, PAD, PAD);
  Object.assign(context, { lineWidth: INK, lineCap: "round", lineJoin: "round", strokeStyle: colour });
  for (const stroke of strokes) {
    context.beginPath();
    context.moveTo(...stroke[0]);
    for (const point of stroke) context.lineTo(...point);
    context.stroke();
  }
  if (!cursor) return;
  context.lineWidth = 2;
  context.strokeStyle = cursor.down ? "#D55E00" : "#0072B2";
  context.beginPath();
  context.arc(cursor.x, cursor.y, INK / 2 + 3, 0, 2 * Math.PI);
  context.stroke();
}

/** Pointer events of mouse, touch and pen, with those between two frames. */
function listenToPointer(canvas, signal, { begin, extend, end }) {
  let pointer = null;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const share = (at, from, size) => inside(((at - from) / size) * PAD);
    return [share(event.clientX, box.left, box.width), share(event.clientY, box.top, box.height)];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button > 0) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    begin(place(event));
  }, { signal });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const all = event.getCoalescedEvents?.() ?? [];
    for (const each of all.length ? all : [event]) extend(place(each));
  }, { signal });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(name, (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      end();
    }, { signal });
  }
}

/** Arrows move a pen, space lowers and lifts it, digits draw, Delete clears. */
function listenToKeys(canvas, signal, pad) {
  canvas.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { key } = event;
    if (key in PEN_KEYS) pad.movePen(...PEN_KEYS[key]);
    else if (key === " ") pad.togglePen();
    else if (key === "Delete" || key === "Backspace") pad.clear();
    else if (key in pad.samples) pad.sample(Number(key));
    else return;
    event.preventDefault();
  }, { signal });
}

/** The drawing and what changes it; `changed` is called once for every change. */
function makePad(canvas, { samples, most, changed, say }) {
  const pen = { x: PAD / 2, y: PAD / 2, down: false };
  let strokes = [];
  let drawing = false;
  let count = 0;
  const show = () => drawStrokes(canvas, strokes, document.activeElement === canvas && !drawing ? pen : null);
  const replace = (next) => {
    strokes = next;
    count = next.reduce((sum, stroke) => sum + stroke.length, 0);
    pen.down = false;
    show();
  };
  const alter = (next) => {
    replace(next);
    changed(strokes);
  };
  const begin = (point) => {
    if (count >= most) return;
    strokes = [...strokes, [point]];
    count += 1;
    show();
    changed(strokes);
  };
  const extend = (point) => {
    const stroke = strokes.at(-1);
    const [x, y] = stroke.at(-1);
    if (count >= most || Math.hypot(point[0] - x, point[1] - y) < NEAR) return;
    strokes = [...strokes.slice(0, -1), [...stroke, point]];
    count += 1;
    show();
    changed(strokes);
  };
  return {
    samples, show, begin, extend, replace,
    busy: () => drawing || pen.down,
    press: (point) => {
      drawing = true;
      pen.down = false;
      begin(point);
    },
    release: () => { drawing = false; },
    clear: () => {
      alter([]);
      say("cleared");
    },
    sample: (digit) => alter(samples[digit]),
    togglePen: () => {
      pen.down = !pen.down;
      if (pen.down) begin([pen.x, pen.y]);
      show();
      say(pen.down ? "pen down" : "pen up");
    },
    movePen: (dx, dy) => {
      Object.assign(pen, { x: inside(pen.x + CELL * dx), y: inside(pen.y + CELL * dy) });
      if (pen.down) extend([pen.x, pen.y]);
      show();
    },
  };
}

function sampleButtons(parent, signal, samples, onChoose) {
  const tools = html("div", { class: "kd-tools", role: "group", "aria-label": "Draw for me" }, parent);
  samples.forEach((_, digit) => {
    const button = html("button", { type: "button", "aria-label": `Draw a ${digit}` }, tools, String(digit));
    button.addEventListener("click", () => onChoose(digit), { signal });
  });
  return tools;
}

/**
 * Send a drawing at once; at most two are on their way, and of those that wait only the newest.
 *
 * A message of its own, since ipywidgets lets one change of a trait travel at a time: a second
 * one on its way keeps Python busy while the first answer comes back.
 */
function sender(model) {
  const toPython = sending(model);
  let travelling = 0;
  let late = false;
  let newest = null;
  const send = () => {
    late = false;
    travelling += 1;
    toPython({ strokes: newest });
  };
  return {
    push: (strokes) => {
      newest = strokes;
      // Kept in the model too, so that another view of it shows the same drawing.
      model.set("strokes", strokes);
      if (travelling < MOST_TRAVELLING) send();
      else late = true;
    },
    answered: () => {
      travelling = Math.max(0, travelling - 1);
      if (late) send();
    },
    stop: () => {
      if (late) send();
    },
    sent: () => newest,
  };
}

function render({ model, el }) {
  const names = model.get("_class_names");
  const { root, signal, close } = frame(el, "draw_digit", "Draw a digit");
  const controls = html("div", { class: "kd-controls" }, root);
  const temperature = temperatureSlider(controls, signal, (value) => view.set("temperature", value));
  const body = html("div", { class: "kd-body" }, root);
  const left = html("div", {}, body);
  const canvas = html("canvas", {
    class: "kd-pad", tabindex: 0, role: "application", "data-lm-suppress-shortcuts": "true",
    "aria-label": "Drawing pad. Digit keys draw a digit. Arrow keys move the pen, "
      + "space lowers and lifts it, Delete clears.",
  }, left);
  const panel = html("div", { class: "kd-panel" }, body);
  const seen = html("div", { class: "kd-seen" }, panel);
  const small = html("canvas", { role: "img", "aria-label": "What the model sees, 28 by 28 pixels" }, seen);
  const told = html("div", {}, seen);
  const verdict = html("div", { class: "kd-verdict", "data-kd": "verdict" }, told);
  const note = html("div", { class: "kd-note" }, told);
  const bars = probabilityBars(panel, names, { label: "The model's opinion of the drawing" });
  const announce = announcer(root, signal);
  const answer = answers(signal, (words) => {
    setText(note, words);
    announce(words);
  });
  const out = sender(model);
  const pad = makePad(canvas, {
    samples: model.get("_samples"), most: model.get("_most_points"), changed: out.push, say: announce,
  });
  listenToPointer(canvas, signal, { begin: pad.press, extend: pad.extend, end: pad.release });
  listenToKeys(canvas, signal, pad);
  for (const name of ["focus", "blur"]) canvas.addEventListener(name, pad.show, { signal });
  // Ink has the colour of text: it changes with the theme.
  const theme = new MutationObserver(pad.show);
  theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  const tools = sampleButtons(left, signal, pad.samples, pad.sample);
  const clear = html("button", { type: "button" }, tools, "Clear");
  clear.addEventListener("click", pad.clear, { signal });
  html("p", { class: "kd-hint" }, left, "Draw with mouse, finger or pen. Keys on the pad: a digit, "
    + "or arrows and space to move and lower a pen, Delete to clear.");

  function draw(state) {
    const logits = floats(state._logits);
    const opinion = logits.length ? soften(logits, state.temperature) : new Float64Array(names.length);
    const best = logits.length ? opinion.indexOf(Math.max(...opinion)) : -1;
    const share = best < 0 ? "" : formatProbability(opinion[best]);
    temperature.set(state.temperature);
    bars.update(opinion, { strong: best });
    const pixels = state._pixels.byteLength ? bytes(state._pixels) : new Uint8Array(784);
    drawImage(small, { bytes: pixels, shape: { channels: 1, height: 28, width: 28 } }, 0);
    setText(verdict, best < 0 ? "Draw a digit" : `${names[best]}, with ${share}`);
    verdict.setAttribute("data-class", best);
    setText(note, state.message || "This small picture is what the model sees.");
    if (state.message) announce(state.message);
    else if (best >= 0) announce(`T ${twoDigits(state.temperature)}: ${names[best]} with ${share}`);
  }

  const view = connect(model, ["temperature", "_logits", "_pixels", "message", "_answers"], draw);
  const follow = () => {
    const strokes = model.get("strokes");
    // A drawing of our own is on the pad, and will be answered; another comes from Python.
    if (strokes === out.sent()) answer.expect();
    else if (!pad.busy()) pad.replace(strokes);
  };
  const answered = () => {
    answer.got();
    out.answered();
  };
  model.on("change:_answers", answered);
  model.on("change:strokes", follow);
  pad.replace(model.get("strokes"));
  draw(view.state);
  return () => {
    model.off("change:strokes", follow);
    model.off("change:_answers", answered);
    theme.disconnect();
    out.stop();
    view.stop();
    close();
  };
}

export default { render };
