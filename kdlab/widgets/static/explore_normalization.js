// A batch of numbers, normalized: gamma, beta, eps, batch size, training and evaluation.

const REACH = 100;
const SCALE = 12;
const STEP_SHARE = 100;
const TRAITS = ["numbers", "batch_size", "gamma", "beta", "eps", "momentum", "training", "running_mean", "running_var"];
const STATISTIC_ROWS = ["batch x", "running", "normalized", "output y"];

const bounded = (value) => Number(within(value, REACH).toPrecision(14));
const runningOf = (state) => ({ mean: state.running_mean, variance: state.running_var });

/** All that is told of a state. */
export function normalizationParts(state) {
  const batch = state.numbers.slice(0, state.batch_size);
  return { batch, ...normalizeBatch(batch, { ...state, running: runningOf(state) }) };
}

/** New numbers of this mean and standard deviation. */
export function drawnNumbers([mean, spread], count, seed) {
  return normals(seed, count).map((draw) => bounded(mean + spread * draw));
}

/** What comes out, in words. */
export function tellNormalization({ batch, used, undone, refused, outputs }, training) {
  const by = training ? "the batch's own" : "the running";
  if (refused) return "A single number has no spread: training refuses it.";
  const out = batchStatistics(outputs);
  const stays = Math.max(...batch.map((x, i) => Math.abs(x - outputs[i]))) < 1e-6 * Math.max(1, ...batch.map(Math.abs));
  const undoing = `\u03b3 = ${cleanNumber(undone.gamma)}, \u03b2 = ${cleanNumber(undone.beta)} would undo it.`;
  return `${training ? "Training" : "Evaluation"}: by ${by} mean ${cleanNumber(used.mean)} and variance ${cleanNumber(used.variance)}, `
    + (stays ? "each output is its input: undone." : `the outputs have mean ${cleanNumber(out.mean)} and variance ${cleanNumber(out.variance)}. ${undoing}`);
}

function modeChooser(parent, signal, onInput) {
  const box = html("label", { class: "kd-toggle" }, parent);
  html("span", {}, box, "Mode");
  const select = html("select", { "aria-label": "Mode", ...OWN_KEYS }, box);
  for (const [value, text] of [["train", "training"], ["eval", "evaluation"]]) {
    html("option", { value }, select, text);
  }
  select.addEventListener("change", () => onInput(select.value === "train"), { signal });
  return select;
}

function sliders(parent, signal, most, set) {
  const two = (value) => value.toFixed(2).replace("-", "\u2212");
  const plain = (label, name, trait, min, max, step, format = two) => [trait, slider(parent, signal, {
    label, name, min, max, step, format, onInput: (value) => set(trait, value),
  })];
  const short = (value) => (value < 1e-3 ? value.toExponential() : String(Number(value.toPrecision(2))));
  return Object.fromEntries([
    plain("Scale \u03b3", "Gamma", "gamma", -SCALE, SCALE, 0.05),
    plain("Shift \u03b2", "Beta", "beta", -SCALE, SCALE, 0.05),
    ["eps", slider(parent, signal, {
      label: "\u03b5 in the root", name: "Epsilon", min: 1e-8, max: 10, log: true, format: short, onInput: (value) => set("eps", value),
    })],
    plain("Batch size m", "Batch size", "batch_size", 1, most, 1, String),
    plain("Momentum", "Momentum", "momentum", 0, 1, 0.01),
  ]);
}

function render({ model, el }) {
  const source = model.get("_source");
  const start = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const count = start.numbers.length;
  const { root, signal, close } = frame(el, "explore_normalization", "Batch normalization of a few numbers");
  const controls = html("div", { class: "kd-controls" }, root);
  const select = modeChooser(controls, signal, (on) => view.set("training", on));
  const shown = sliders(controls, signal, count, (name, value) => view.set(name, value));
  let seed = 0;
  const change = (changed) => Object.entries(changed).forEach(([name, value]) => view.set(name, value));
  const remember = ({ mean, variance }) => change({ running_mean: mean, running_var: variance });
  const batchOf = () => view.state.numbers.slice(0, view.state.batch_size);
  const step = () => {
    // A layer refuses a single number, here and in undo.
    if (view.state.batch_size > 1) remember(stepRunning(runningOf(view.state), batchOf(), view.state.momentum));
  };
  const undo = () => {
    if (view.state.batch_size === 1) return;
    const { own, undone } = normalizationParts({ ...view.state, training: true });
    change(undone);
    // Biased, unlike in a step: it has to be what gamma multiplies by.
    remember(own);
  };
  commands(controls, signal, "Change batch and normalizer", [
    ["Step: update running", step],
    ["New batch", () => change({ numbers: drawnNumbers(source, count, seed += 1) })],
    ["Undo: set \u03b3, \u03b2, running", undo],
    ["\u03b3 = 1, \u03b2 = 0", () => change({ gamma: 1, beta: 0 })],
    ["Forget running", () => remember({ mean: 0, variance: 1 })],
    ["Reset", () => change(start)],
  ]);
  const readout = html("div", { class: "kd-readout", "data-kd": "told" }, root);
  const body = html("div", { class: "kd-body" }, root);
  const left = html("div", { class: "kd-dots-panel" }, body);
  const field = dotRows(left, count);
  const legend = html("div", { class: "kd-legend" }, left);
  [["batch", "batch: mean \u00b1 root of its variance"], ["running", "running; full: what is used"]].forEach(([style, text]) => {
    html("span", { class: `kd-key kd-key-${style}` }, legend, text);
  });
  html("div", { class: "kd-note" }, left, "Drag a number; let go at the end, the axis gives way. Or Tab and arrow keys (Shift: ten steps).");
  const right = html("div", { class: "kd-norm-tables" }, body);
  const table = numberTable(right, "Statistics", ["mean", "variance", "unbiased"], STATISTIC_ROWS);
  const undoing = numberTable(right, "What undoes it", ["\u03b3", "\u03b2"], ["now", "would undo"]);
  html("div", { class: "kd-note" }, right, "x\u0302 = (x \u2212 mean) / \u221a(variance + \u03b5), by the variance \u00f7 m. A step moves the running ones, by the momentum, towards the batch\u2019s mean and unbiased variance, \u00f7 (m \u2212 1).");
  const announce = announcer(root, signal);
  let end = 0;

  function draw(state) {
    const parts = normalizationParts(state);
    const { batch, own, normalized, outputs } = parts;
    const running = runningOf(state);
    // The axis stays while numbers move along it, and gives way when one is let go at its end.
    const least = axisEnd([...batch, ...normalized, ...outputs]);
    if (!held() && (least > end || least < end / 4)) end = least;
    field.show(batch, parts, running, state.training, end);
    for (const [name, made] of Object.entries(shown)) made.set(state[name]);
    select.value = state.training ? "train" : "eval";
    field.numbers.forEach((group, i) => {
      const [x, y] = [state.numbers[i], outputs[i]].map((value) => (value === undefined ? "refused" : value.toFixed(2)));
      group.setAttribute("aria-valuetext", `${x}, becomes ${y}`);
      group.setAttribute("aria-valuenow", x);
      group.setAttribute("tabindex", i < batch.length ? 0 : -1);
      group.setAttribute("aria-hidden", String(i >= batch.length));
    });
    const line = (values) => {
      if (!values.length) return [NaN, NaN, NaN];
      const { mean, variance, unbiased } = batchStatistics(values);
      return [mean, variance, unbiased];
    };
    const lines = [line(batch), [running.mean, running.variance, NaN], line(normalized), line(outputs)];
    table.update(lines.map((row) => row.map(cleanNumber)));
    [0, 1].forEach((row) => table.rows[row].line.classList.toggle("kd-chosen", (row === 0) === state.training));
    undoing.update([[state.gamma, state.beta], parts.refused ? [NaN, NaN] : [parts.undone.gamma, parts.undone.beta]].map((row) => row.map(cleanNumber)));
    const told = tellNormalization(parts, state.training);
    setText(readout, told);
    readout.setAttribute("data-value", JSON.stringify({ ...parts, running, unbiased: own.unbiased }));
    announce(told);
  }

  const view = connect(model, TRAITS, draw);
  const held = holding(field.numbers, signal, () => view.redraw());
  const put = (i, value) => view.set("numbers", view.state.numbers.map((old, j) => (j === i ? bounded(value) : old)));
  movable(field.chart, field.numbers, signal, {
    name: (i) => `Number ${i + 1}`,
    step: (i, [x, y]) => put(i, view.state.numbers[i] + ((x + y) * 2 * end) / STEP_SHARE),
    place: (i, place) => put(i, within(field.toNumber(place), end)),
  });
  draw(view.state);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
