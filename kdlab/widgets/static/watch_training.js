// The cockpit: buttons, three sliders, and curves that Python sends while it trains.

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
const LINES = [
  ["labels_only", "labels", "labels only"],
  ["distilled", "student", "distilled"],
  ["teacher", "teacher", "teacher"],
];
const NEXT = { start: "running", pause: "paused", stop: "stopped", reset: "ready" };
const SIGNS = { temperature: "T", lambda_: "\u03bb", learning_rate: "rate" };
const [LEFT, TOP, WIDTH, HEIGHT] = [52, 30, 690, 250];
const DIGITS = [1, 2, 5];
const NEWS_MS = 4000;

/** 1, 2, 5, 10, 20, ... up to a limit. */
function roundNumbers(limit) {
  const all = [];
  for (let power = 1; power <= limit; power *= 10) all.push(...DIGITS.map((digit) => digit * power));
  return all.filter((number) => number <= limit);
}

/** Both axes for these curves: steps from 0, errors on a log axis down to a round number. */
export function twinAxes(curves) {
  const high = Math.max(2, curves.examples);
  const last = Math.max(500, curves.steps.at(-1) ?? 0);
  const end = roundNumbers(10 * last).find((number) => number >= last);
  const least = Math.min(curves.teacher ?? high, ...curves.labels_only, ...curves.distilled);
  // Down to a fiftieth of the images, so that the axis rarely has to change on the way.
  const low = roundNumbers(high).findLast((number) => number < Math.min(least, high / 49)) ?? 1;
  const x = (step) => LEFT + (WIDTH * step) / end;
  const y = (errors) => TOP + (HEIGHT * Math.log(high / Math.max(errors, low))) / Math.log(high / low);
  return { x, y, end, low, high };
}

function path(curves, name, { x, y }) {
  return curves.steps
    .map((step, i) => `${i ? "L" : "M"}${x(step).toFixed(1)} ${y(curves[name][i]).toFixed(1)}`)
    .join("");
}

function twinChart(parent) {
  const size = `0 0 ${LEFT + WIDTH + 16} ${TOP + HEIGHT + 40}`;
  const chart = svg("svg", { class: "kd-chart", viewBox: size, role: "img" }, parent);
  const title = svg("text", { x: LEFT, y: 14 }, chart);
  const grid = svg("g", {}, chart);
  const marks = svg("g", { class: "kd-moved" }, chart);
  const lines = LINES.map(([, style]) => svg("path", { class: `kd-line kd-line-${style}` }, chart));
  // The dashed line on top: where two curves are one, as with no weight, both are seen.
  chart.append(lines[0]);
  svg("text", { x: LEFT + WIDTH, y: TOP + HEIGHT + 34, "text-anchor": "end" }, chart, "steps");
  let drawnAxes = "";

  function drawGrid({ x, y, end, low, high }) {
    const axes = `${end} ${low} ${high}`;
    if (axes === drawnAxes) return;
    drawnAxes = axes;
    grid.replaceChildren();
    for (const errors of roundNumbers(high).filter((number) => number >= low)) {
      svg("line", { class: "kd-grid", x1: LEFT, x2: LEFT + WIDTH, y1: y(errors), y2: y(errors) }, grid);
      const place = { class: "kd-tick", x: LEFT - 6, y: y(errors) + 4, "text-anchor": "end" };
      svg("text", place, grid, errors.toLocaleString("en"));
    }
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      const place = { class: "kd-tick", x: x(share * end), y: TOP + HEIGHT + 18, "text-anchor": "middle" };
      svg("text", place, grid, (share * end).toLocaleString("en"));
    }
  }

  function drawMarks(list, { x }) {
    marks.replaceChildren();
    list.forEach(({ step, name, value }, i) => {
      const at = x(step);
      svg("line", { x1: at, x2: at, y1: TOP, y2: TOP + HEIGHT }, marks);
      svg("text", { x: at + 3, y: TOP + 10 + 12 * (i % 3) }, marks, `${SIGNS[name]} ${Number(value.toPrecision(2))}`);
    });
  }

  function update(curves) {
    const axes = twinAxes(curves);
    setText(title, `Errors of ${curves.examples.toLocaleString("en")} test images`);
    drawGrid(axes);
    drawMarks(curves.marks, axes);
    lines[0].setAttribute("d", path(curves, "labels_only", axes));
    lines[1].setAttribute("d", path(curves, "distilled", axes));
    const level = curves.teacher === null ? "" : axes.y(curves.teacher);
    lines[2].setAttribute("d", level === "" ? "" : `M${LEFT} ${level}H${LEFT + WIDTH}`);
  }
  return { chart, update };
}

function twinLegend(parent) {
  const legend = html("div", { class: "kd-legend" }, parent);
  const numbers = LINES.map(([name, style, words]) => {
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
    const button = html("button", { type: "button", "data-kd": name }, group, words);
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

function trainingSliders(parent, signal, set) {
  const two = (value) => String(Number(value.toPrecision(2)));
  const lambda = { label: "Teacher's weight \u03bb", name: "Lambda, weight of the teacher", min: 0, max: 1, step: 0.05 };
  const rate = { label: "Learning rate", name: "Learning rate", min: 0.001, max: 1, log: true, format: two };
  return {
    temperature: temperatureSlider(parent, signal, (value) => set("temperature", value)),
    lambda_: slider(parent, signal, {
      ...lambda, format: (value) => `\u03bb = ${value.toFixed(2)}`, say: two, onInput: (value) => set("lambda_", value),
    }),
    learning_rate: slider(parent, signal, { ...rate, onInput: (value) => set("learning_rate", value) }),
  };
}

const NOTHING = { steps: [], labels_only: [], distilled: [], marks: [], teacher: null, examples: 1000 };

function render({ model, el }) {
  const send = sending(model);
  const { root, signal, close } = frame(el, "watch_training", "Two students, one teacher: live training");
  const showState = buttonRow(root, signal, (name) => {
    wanted = NEXT[name];
    answer.expect();
    send({ press: name });
  });
  const controls = html("div", { class: "kd-controls" }, root);
  const sliders = trainingSliders(controls, signal, (name, value) => view.set(name, value));
  const chart = twinChart(root);
  const showNumbers = twinLegend(root);
  const note = html("p", { class: "kd-note", "data-kd": "message" }, root);
  const announce = announcer(root, signal);
  let told = { state: "ready", message: "", curves: NOTHING };
  let announced = "";
  let wanted = "";
  const answer = answers(signal, (words) => {
    setText(note, words);
    announce(words);
  });

  function draw(state) {
    const { curves } = told;
    for (const name of Object.keys(sliders)) sliders[name].set(state[name]);
    const step = curves.steps.at(-1) ?? 0;
    showState(told.state, `${STATES[told.state]}, step ${step.toLocaleString("en")}`);
    chart.update(curves);
    const last = [curves.labels_only.at(-1) ?? null, curves.distilled.at(-1) ?? null, curves.teacher];
    showNumbers(last);
    const spoken = last[0] === null ? "" : `${last[0]} errors with labels only, ${last[1]} distilled, `
      + `${last[2]} of the teacher, of ${curves.examples}`;
    chart.chart.setAttribute("aria-label", `Test errors over steps. ${spoken}`);
    if (!wanted) setText(note, told.message);
    note.classList.toggle("kd-error", told.state === "failed");
    // A state is said once; the numbers run on without a voice.
    if (announced !== told.state + told.message) announce(`${STATES[told.state]}. ${told.message} ${spoken}`);
    announced = told.state + told.message;
  }

  const view = connect(model, Object.keys(SIGNS), draw);
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
  draw(view.state);
  return () => {
    model.off("msg:custom", listen);
    view.stop();
    close();
  };
}

export default { render };
