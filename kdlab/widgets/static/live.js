// What views of a live training share: buttons, state, curves over steps, Python's messages.

const BUTTONS = { start: "Start", pause: "Pause", stop: "Stop", reset: "Reset" };
const ENABLED = {
  ready: ["start"],
  running: ["pause", "stop", "reset"],
  paused: ["start", "stop", "reset"],
  stopped: ["start", "reset"],
  failed: ["start", "reset"],
};
const STATES = {
  ready: "Ready", running: "Training", paused: "Paused", stopped: "Stopped", failed: "Failed",
};
const NEXT = { start: "running", pause: "paused", stop: "stopped", reset: "ready" };
const [LEFT, TOP] = [52, 30];
const MOST_TICKS = 10;
const NEWS_MS = 4000;

/** 1, 2, 5, 10, 20, ... between two numbers; only the powers of ten where these are too many. */
export function roundNumbers(low, high) {
  const powers = Array.from({ length: 24 }, (_, i) => i - 8);
  const all = powers.flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`)));
  const inside = all.filter((number) => number >= low && number <= high);
  const tens = inside.filter((number) => String(number).replace(/[0.]/g, "") === "1");
  return inside.length > MOST_TICKS && tens.length > 1 ? tens : inside;
}

/** The end of the axis of steps: 500, 1,000, 2,000, 5,000, ... */
export function lastStep(steps, shortest = 500) {
  const last = Math.max(shortest, steps.at(-1) ?? 0);
  return [1, 2, 5, 10].map((digit) => digit * 10 ** Math.floor(Math.log10(last))).find((end) => end >= last);
}

/** From where to where an axis of counts goes, down to a round number below the least. */
export function countRange(examples, numbers) {
  const high = Math.max(2, examples);
  // Down to a fiftieth of the images, so that the axis rarely has to change on the way.
  const limit = Math.min(high, ...numbers, high / 49);
  const low = [5, 2, 1].flatMap((digit) => [0, 1, 2, 3, 4, 5, 6, 7].map((power) => digit * 10 ** power));
  return { high, low: Math.max(1, ...low.filter((number) => number < limit)) };
}

// How far up a value lies, 0 to 1, and what stands at the axis.
const LOG_SCALE = {
  // What has no logarithm lies on the axis.
  share: (value, { low, high }) => 1 - Math.log(high / Math.max(value, low)) / Math.log(high / low),
  ticks: ({ low, high }) => roundNumbers(low, high),
  text: (tick) => tick.toLocaleString("en", { maximumSignificantDigits: 3 }),
  // Words at what was moved stand where curves don't end: errors fall, shares rise.
  words: (row) => TOP + 10 + 12 * row,
};
const PERCENT_SCALE = {
  share: (value) => value,
  ticks: () => [0, 0.2, 0.4, 0.6, 0.8, 1],
  text: (tick) => `${Math.round(100 * tick)} %`,
  words: (row, height) => TOP + height - 6 - 12 * row,
};

/** Curves over steps on a log axis; `lines` are their styles, the first one lies on top. */
export function logChart(parent, options) {
  return curveChart(parent, { ...options, scale: LOG_SCALE });
}

/** The same for shares, on an axis from 0 to 100 %. */
export function percentChart(parent, options) {
  return curveChart(parent, { ...options, scale: PERCENT_SCALE });
}

function curveChart(parent, { width, height, lines, markText, scale, shortest = 500, unit = "steps" }) {
  const size = `0 0 ${LEFT + width + 16} ${TOP + height + 40}`;
  // A wide one scrolls sideways on a phone, rather than that nobody can read it.
  const box = width > 400 ? html("div", { class: "kd-scroll" }, parent) : parent;
  const chart = svg("svg", { class: "kd-chart", viewBox: size, role: "img" }, box);
  const title = svg("text", { x: LEFT, y: 14 }, chart);
  const grid = svg("g", {}, chart);
  const under = svg("g", {}, chart);
  const marks = svg("g", { class: "kd-moved" }, chart);
  const paths = lines.map((style) => svg("path", { class: `kd-line kd-line-${style}` }, chart));
  // Where two curves are one, as with no weight, the dashed one on top shows both.
  chart.append(paths[0]);
  const level = svg("path", { class: "kd-line kd-line-teacher" }, chart);
  svg("text", { x: LEFT + width, y: TOP + height + 34, "text-anchor": "end" }, chart, unit);
  let drawnAxes = "";

  function axesOf(steps, range) {
    const end = lastStep(steps, shortest);
    const x = (step) => LEFT + (width * step) / end;
    const y = (value) => TOP + height * (1 - scale.share(value, range));
    return { x, y, end };
  }

  function drawGrid({ x, y, end }, { low, high }) {
    const axes = `${end} ${low} ${high}`;
    if (axes === drawnAxes) return;
    drawnAxes = axes;
    grid.replaceChildren();
    for (const tick of scale.ticks({ low, high })) {
      svg("line", { class: "kd-grid", x1: LEFT, x2: LEFT + width, y1: y(tick), y2: y(tick) }, grid);
      const place = { class: "kd-tick", x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" };
      svg("text", place, grid, scale.text(tick));
    }
    for (const share of width > 400 ? [0, 0.25, 0.5, 0.75, 1] : [0, 0.5, 1]) {
      // The last number would be cut where it is a long one.
      const where = share === 1 ? { x: LEFT + width + 14, "text-anchor": "end" } : { x: x(share * end), "text-anchor": "middle" };
      const place = { class: "kd-tick", y: TOP + height + 18, ...where };
      svg("text", place, grid, (share * end).toLocaleString("en"));
    }
  }

  function drawMarks(list, { x }) {
    marks.replaceChildren();
    list.forEach((mark, i) => {
      const at = x(mark.step);
      svg("line", { x1: at, x2: at, y1: TOP, y2: TOP + height }, marks);
      if (!markText) return;
      const near = at > LEFT + width - 60;
      const place = { x: near ? at - 3 : at + 3, "text-anchor": near ? "end" : "start" };
      svg("text", { ...place, y: scale.words(i % 3, height) }, marks, markText(mark));
    });
  }

  function drawBand(band, { y }) {
    under.replaceChildren();
    if (!band) return;
    const [top, bottom] = [y(Math.max(...band)), y(Math.min(...band))];
    svg("rect", { class: "kd-band-control", x: LEFT, width, y: top, height: bottom - top }, under);
  }

  /** `series` are as many lists of numbers as lines; `range` is { low, high }, `band` numbers to span. */
  function update(curves, { words, series, range, teacher = null, band = null }) {
    const axes = axesOf(curves.steps, range);
    setText(title, words);
    drawGrid(axes, range);
    drawMarks(curves.marks, axes);
    drawBand(band, axes);
    const at = (values) => (step, i) => `${i ? "L" : "M"}${axes.x(step).toFixed(1)} ${axes.y(values[i]).toFixed(1)}`;
    series.forEach((values, i) => {
      paths[i].setAttribute("d", curves.steps.map(at(values)).join(""));
      paths[i].setAttribute("data-value", values.at(-1) ?? "");
    });
    level.setAttribute("d", teacher === null ? "" : `M${LEFT} ${axes.y(teacher)}H${LEFT + width}`);
  }
  return { chart, update };
}

/** A sample of each line with its name and its newest number. */
export function lineLegend(parent, lines) {
  const legend = html("div", { class: "kd-legend" }, parent);
  const numbers = lines.map(([name, style, words]) => {
    const entry = html("span", {}, legend);
    const sample = svg("svg", { viewBox: "0 0 28 8", "aria-hidden": "true" }, entry);
    svg("path", { class: `kd-line kd-line-${style}`, d: "M0 4H28" }, sample);
    html("span", {}, entry, words);
    return html("b", { "data-kd": name }, entry);
  });
  return (values) => values.forEach((value, i) => setText(numbers[i], value === null ? "" : String(value)));
}

function buttonRow(parent, signal, press) {
  const group = html("div", { class: "kd-buttons", role: "group", "aria-label": "Training" }, parent);
  const buttons = Object.entries(BUTTONS).map(([name, words]) => {
    const button = html("button", { type: "button", "data-kd": name, ...OWN_KEYS }, group, words);
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") press(name);
    }, { signal });
    return button;
  });
  const state = html("span", { class: "kd-state", "data-kd": "state" }, group);
  return (now, words) => {
    setText(state, words);
    for (const button of buttons) {
      // Not `disabled`: a pressed button would lose the keyboard's focus.
      button.setAttribute("aria-disabled", String(!ENABLED[now].includes(button.dataset.kd)));
    }
  };
}

/** A slider from 0.001 on, on a log scale. */
export function smallSlider(parent, signal, label, max, onInput) {
  const two = (value) => String(Number(value.toPrecision(2)));
  return slider(parent, signal, { label, name: label, min: 0.001, max, log: true, format: two, onInput });
}

/** The slider of the learning rate: 0.001 to 1 on a log scale, or farther. */
export function rateSlider(parent, signal, onInput, max = 1) {
  return smallSlider(parent, signal, "Learning rate", max, onInput);
}

/**
 * Buttons, and what Python tells while it trains.
 *
 * `begin(names, draw, speak)` comes when all else is built: `draw(state, curves, frame)` shows the
 * numbers, `speak(curves)` is a sentence about them. It returns the view that `connect` makes.
 */
export function liveSession(model, root, signal, nothing) {
  root.classList.add("kd-live");
  const send = sending(model);
  let told = { state: "ready", message: "", curves: nothing };
  let [announced, wanted] = ["", ""];
  let answer;
  const showState = buttonRow(root, signal, (name) => {
    wanted = NEXT[name];
    answer.expect();
    send({ press: name });
  });

  return function begin(names, draw, speak) {
    const note = html("p", { class: "kd-note", "data-kd": "message" }, root);
    const announce = announcer(root, signal);
    answer = answers(signal, (words) => {
      setText(note, words);
      announce(words);
    });

    function redraw(state) {
      const step = told.curves.steps.at(-1) ?? 0;
      showState(told.state, `${STATES[told.state]}, step ${step.toLocaleString("en")}`);
      draw(state, told.curves, told.frame);
      if (!wanted) setText(note, told.message);
      note.classList.toggle("kd-error", told.state === "failed");
      // A state is said once; the numbers run on without a voice.
      const now = told.state + told.message;
      if (announced !== now) announce(`${STATES[told.state]}. ${told.message} ${speak(told.curves)}`);
      announced = now;
    }

    const view = connect(model, names, redraw);
    const listen = (message) => {
      if (message?.kind !== "curves") return;
      told = message;
      if (!wanted || told.state === wanted || told.state === "failed") {
        wanted = "";
        answer.got();
      }
      // While it trains there is news several times a second, of a slow student less often.
      if (told.state === "running") answer.expect(NEWS_MS);
      view.redraw();
    };
    model.on("msg:custom", listen);
    send({ press: "look" });
    redraw(view.state);
    const stop = () => {
      model.off("msg:custom", listen);
      view.stop();
    };
    return { ...view, announce, stop };
  };
}
