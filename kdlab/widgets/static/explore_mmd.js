// A real and a synthetic cloud, and how far linear and ReLU random features see them apart.

const MOVES = ["shift", "stretch", "turn"];
const MMD_TRAITS = ["synthetic", ...MOVES, "swapped", "seed"];
const [STRETCH_LEAST, STRETCH_MOST] = [0.1, 10];
const SHIFT_MOST = 100;
const KEY_STEPS = 100;
const TURN_STEP = 5;

const short14 = (value) => Number(value.toPrecision(14));
const between = (value, least, most) => short14(Math.max(least, Math.min(most, value)));
/** An angle in degrees, above -180 and up to 180. */
const wrapped = (turn) => short14(turn - 360 * Math.ceil((turn - 180) / 360));

/** How far the handle lies from the mean when nothing is stretched: two standard deviations. */
export function reachOf(points) {
  const middle = meanRow(points)[0];
  return 2 * Math.sqrt(points.reduce((sum, [x]) => sum + (x - middle) ** 2, 0) / points.length) || 1;
}

/** Stretch and turn that put the handle at a place, given the cloud's mean. */
export function grippedAt([x, y], mean, reach) {
  const [dx, dy] = [x - mean[0], y - mean[1]];
  return {
    stretch: between(Math.hypot(dx, dy) / reach, STRETCH_LEAST, STRETCH_MOST),
    turn: wrapped((Math.atan2(dy, dx) * 180) / Math.PI),
  };
}

const average = (values) => values.reduce((a, b) => a + b) / values.length;

/** What both kinds of features see, in words. */
export function tellMmd(parts, { shift, swapped }) {
  const apart = Math.hypot(...shift);
  const seen = (kind, part) => cleanNumber(average(parts[kind][part]));
  return `${apart < 5e-4 ? "The means are equal" : `The means are ${shortNumber(apart)} apart`}${swapped ? ", labels are swapped" : ""}. `
    + `Over all points, linear features see ${seen("linear", "distances")}, ReLU features ${seen("relu", "distances")}; `
    + `class by class ${seen("linear", "classDistances")} and ${seen("relu", "classDistances")}.`;
}

function cloudLegend(parent) {
  const box = html("div", { class: "kd-legend" }, parent);
  for (const [side, text] of [["real", "real"], ["synthetic", "synthetic"]]) {
    const key = html("span", {}, box);
    const sample = svg("svg", { class: "kd-sample", width: 32, height: 14, "aria-hidden": "true" }, key);
    [8, 24].forEach((x, c) => {
      pointMark(sample, side, { transform: `translate(${x} 7)` }).classList.toggle("kd-hollow", c === 1);
    });
    key.append(`${text}, class 0 and 1`);
  }
  html("span", {}, box, "\u00d7 real mean, + synthetic mean, lines: where a unit of network 1 is 0");
}

function render({ model, el }) {
  const real = model.get("_real");
  const targets = model.get("_targets");
  const ownTargets = model.get("_own_targets");
  const [networks, units] = [model.get("_networks"), model.get("_units")];
  const start = Object.fromEntries(MMD_TRAITS.map((name) => [name, model.get(name)]));
  const realMean = meanRow(real);
  const { root, signal, close } = frame(el, "explore_mmd", "Mean embeddings of two clouds");
  const controls = html("div", { class: "kd-controls" }, root);
  const change = (changed) => Object.entries(changed).forEach(([name, value]) => view.set(name, value));
  const stretch = slider(controls, signal, {
    label: "Stretch", min: STRETCH_LEAST, max: STRETCH_MOST, log: true,
    format: (value) => `\u00d7 ${Number(value.toPrecision(3))}`, say: (value) => `${Number(value.toPrecision(3))} times`,
    onInput: (value) => view.set("stretch", value),
  });
  const turn = slider(controls, signal, {
    label: "Turn", min: -180, max: 180, format: (value) => `${Math.round(value)}\u00b0`.replace("-", "\u2212"),
    say: (value) => `${Math.round(value)} degrees`, onInput: (value) => view.set("turn", value),
  });
  const swap = toggle(controls, signal, { label: "swap the synthetic labels", onInput: (on) => view.set("swapped", on) });
  commands(controls, signal, "Change clouds and networks", [
    ["New networks", () => view.set("seed", (view.state.seed + 1) % 2 ** 31)],
    ["Equal means", () => view.set("shift", [0, 0])],
    ["Not moved", () => change({ shift: [0, 0], stretch: 1, turn: 0 })],
    ["Reset", () => change(start)],
  ]);
  const readout = html("div", { class: "kd-readout", "data-kd": "told" }, root);
  const body = html("div", { class: "kd-body" }, root);
  const left = html("div", { class: "kd-cloud-panel" }, body);
  html("div", { class: "kd-heading" }, left, "Real \u25cf and synthetic \u25a0");
  const plane = cloudPlane(left, real.length, ownTargets.length, units);
  cloudLegend(left);
  html("div", { class: "kd-note" }, left, "Drag + to move the synthetic cloud, \u25c7 to stretch and turn it; or Tab and arrow keys.");
  const right = html("div", { class: "kd-cloud-panel" }, body);
  html("div", { class: "kd-heading" }, right, "Squared distance, a bar a network");
  const bars = distanceBars(right, networks);
  html("div", { class: "kd-heading" }, right, "Mean embedding of network 1");
  const means = meanEmbeddings(right, units);
  const box = html("div", { class: "kd-pairs" }, root);
  html("div", { class: "kd-heading" }, box, "MMD\u00b2 by its definition: the mean of \u03c8(x)\u00b7\u03c8(x\u2032) over pairs");
  const table = numberTable(box, "MMD by its definition", ["real", "synthetic", "mixed", "MMD\u00b2", "distance\u00b2"], Object.values(KINDS));
  html("div", { class: "kd-note" }, root, "MMD\u00b2 = real pairs + synthetic pairs \u2212 2 \u00d7 mixed pairs. It is the squared distance of the mean embeddings. All are means over the networks.");
  const announce = announcer(root, signal);
  let drawn = { seed: null, list: [] };
  let end = 0;
  const reach = () => reachOf(view.state.synthetic);
  const meanAt = ({ shift }) => realMean.map((value, k) => value + shift[k]);

  function draw(state) {
    if (drawn.seed !== state.seed) drawn = { seed: state.seed, list: drawNetworks(state.seed, networks, units) };
    const placed = placeCloud(state.synthetic, realMean, state);
    const labels = ownTargets.map((c) => (state.swapped ? 1 - c : c));
    const parts = Object.fromEntries(Object.keys(FEATURES).map((kind) => [
      kind, featureParts(real, targets, placed, labels, drawn.list, kind),
    ]));
    const mean = meanAt(state);
    const angle = (state.turn * Math.PI) / 180;
    const far = state.stretch * reachOf(state.synthetic);
    const tip = [mean[0] + far * Math.cos(angle), mean[1] + far * Math.sin(angle)];
    // The plane stays while a cloud moves in it, and gives way when it is let go outside.
    const least = cloudEnd(real, placed, [tip]);
    if (!held() && (least > end || least < end / 4)) end = least;
    plane.show({ real: { rows: real, classes: targets }, synthetic: { rows: placed, classes: labels } }, drawn.list[0], { realMean, mean, tip }, end);
    stretch.set(state.stretch);
    turn.set(state.turn);
    swap.set(state.swapped);
    bars(parts);
    means(parts);
    const words = [mean.map((x) => x.toFixed(2)).join(", "), `stretched ${shortNumber(state.stretch)} times, turned by ${Math.round(state.turn)} degrees`];
    plane.handles.forEach((group, i) => {
      group.setAttribute("aria-valuetext", words[i]);
      group.setAttribute("aria-valuenow", i ? state.stretch : mean[0].toFixed(2));
    });
    table.update(Object.keys(KINDS).map((kind) => {
      const { pairs, mmd, distances } = parts[kind];
      return [...pairs.map(shortNumber), cleanNumber(mmd), cleanNumber(average(distances))];
    }));
    const told = tellMmd(parts, state);
    setText(readout, told);
    readout.setAttribute("data-value", JSON.stringify(parts));
    announce(told);
  }

  const view = connect(model, MMD_TRAITS, draw);
  const held = holding(plane.handles, signal, () => view.redraw());
  const inPlane = (place) => plane.toData(place).map((x) => between(x, -end, end));
  const moveTo = (place) => view.set("shift", place.map((x, k) => between(x - realMean[k], -SHIFT_MOST, SHIFT_MOST)));
  movable(plane.chart, plane.handles, signal, {
    name: (i) => ["Synthetic mean: moves the cloud", "Handle: up and down stretch, left and right turn"][i],
    step: (i, [x, y]) => {
      const { shift, stretch: factor, turn: degrees } = view.state;
      if (i === 0) moveTo(realMean.map((value, k) => value + shift[k] + ([x, y][k] * 2 * end) / KEY_STEPS));
      else change({ stretch: between(factor * 1.05 ** y, STRETCH_LEAST, STRETCH_MOST), turn: wrapped(degrees - TURN_STEP * x) });
    },
    place: (i, place) => {
      if (i === 0) moveTo(inPlane(place));
      else change(grippedAt(inPlane(place), meanAt(view.state), reach()));
    },
  });
  draw(view.state);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
