// A line through labels, some with a teacher's answer: lambda, sigmas, and who is privileged.

const FARTHEST = 100;
const KEY_STEPS = 100;
const FIT_NAMES = { without: "without teacher", with: "with teacher", slide: "slide's weights" };

const bounded = (value) => within(value, FARTHEST);

function sigmaSlider(parent, signal, label, name, onInput) {
  const format = (value) => String(Number(value.toPrecision(3)));
  return slider(parent, signal, { label, name, min: 0.05, max: 5, log: true, format, onInput });
}

/** New labels and answers at the same x, with the noise that is set. */
export function drawnAnew({ points }, noise, truth, seed) {
  const draws = normals(seed, 2 * points.length);
  const line = (x) => truth[0] + truth[1] * x;
  return {
    points: points.map(([x], i) => [x, bounded(line(x) + noise.sigma * draws[2 * i])]),
    teacher: points.map(([x], i) => bounded(line(x) + noise.teacherSigma * draws[2 * i + 1])),
  };
}

function tellFits(fits, slide) {
  const told = (name) => `${shortNumber(fits[name].error)} ${FIT_NAMES[name]}`;
  return `Squared parameter error ${told("with")}, ${told("without")}${slide ? `, ${shortNumber(fits.slide.error)} with the slide's weights` : ""}.`;
}

function render({ model, el }) {
  const truth = model.get("_truth");
  const names = ["points", "teacher", "known", "lambda_", "sigma", "teacher_sigma", "slide"];
  const start = Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const count = start.points.length;
  const noiseOf = (state) => ({ sigma: state.sigma, teacherSigma: state.teacher_sigma, lambda: state.lambda_ });
  const { root, signal, close } = frame(el, "explore_privileged_regression", "A line with privileged information");
  const controls = html("div", { class: "kd-controls" }, root);
  const lambda = slider(controls, signal, {
    label: "Teacher's weight \u03bb", name: "Lambda", min: 0, max: 1, step: 0.01,
    format: (value) => value.toFixed(2), onInput: (value) => view.set("lambda_", value),
  });
  const sigma = sigmaSlider(controls, signal, "Labels' noise \u03c3", "Sigma", (value) => view.set("sigma", value));
  const teacherSigma = sigmaSlider(controls, signal, "Teacher's noise \u03c3\u209b", "Teacher's sigma", (value) => view.set("teacher_sigma", value));
  const slide = toggle(controls, signal, {
    label: "also the slide's weights: \u03c3\u00b2 for 1/\u03c3\u00b2", onInput: (on) => view.set("slide", on),
  });
  let seed = 0;
  const change = (changed) => Object.entries(changed).forEach(([name, value]) => view.set(name, value));
  commands(controls, signal, "Change all points", [
    ["All privileged", () => change({ known: start.known.map(() => true) })],
    ["None", () => change({ known: start.known.map(() => false) })],
    ["New noise", () => change(drawnAnew(view.state, noiseOf(view.state), truth, seed += 1))],
    ["Reset", () => change(start)],
  ]);
  const readout = html("div", { class: "kd-readout", "data-kd": "told" }, root);
  const body = html("div", { class: "kd-body" }, root);
  const left = html("div", { class: "kd-line-panel" }, body);
  html("div", { class: "kd-heading" }, left, "Labels \u25cf, answers \u25a0, both in one \u25c7");
  const plane = linePlane(left, count);
  const legend = lineLegend(left);
  html("div", { class: "kd-note" }, left, "Drag, or Tab and arrow keys. A click or Enter on a label hears or hides its teacher's answer. A larger diamond weighs more.");
  const right = html("div", { class: "kd-weights-panel" }, body);
  html("div", { class: "kd-heading" }, right, "The weighted least squares that it equals");
  const bars = weightRows(right, count);
  const parts = html("div", { class: "kd-legend" }, right);
  [["labels", "label's part"], ["teacher", "teacher's part"], ["control", "slide's share"]].forEach(([style, text]) => {
    html("span", { class: `kd-key kd-key-${style}`, "data-key": style }, parts, text);
  });
  const table = numberTable(html("div", { class: "kd-fits" }, root), "Fitted lines", ["constant", "slope", "error", "on average"], ["true line", ...Object.values(FIT_NAMES)]);
  html("div", { class: "kd-note" }, root, "Error: mean square of constant and slope less the true ones; on average: over noise as \u03c3 and \u03c3\u209b say, at these x.");
  const announce = announcer(root, signal);
  let ends = lineEnds(start.points, start.teacher);

  function draw(state) {
    const fits = threeFits(state, noiseOf(state), truth);
    // The plane stays while points move in it, and gives way when one is let go outside.
    const least = lineEnds(state.points, state.teacher);
    if (!held()) ends = ends.map((end, k) => (least[k] > end || least[k] < end / 3 ? least[k] : end));
    lambda.set(state.lambda_);
    sigma.set(state.sigma);
    teacherSigma.set(state.teacher_sigma);
    slide.set(state.slide);
    plane.show(state, fits, truth, state.slide, ends);
    bars.show(fits, state.slide);
    legend.slide.style.display = state.slide ? "" : "none";
    parts.querySelector("[data-key=control]").style.display = state.slide ? "" : "none";
    plane.examples.forEach(({ point, answer }, i) => {
      const [x, y, s] = [...state.points[i], state.teacher[i]].map((value) => value.toFixed(2));
      point.setAttribute("aria-valuetext", `x ${x}, y ${y}, teacher's answer ${state.known[i] ? s : "not known"}`);
      point.setAttribute("aria-valuenow", y);
      answer.setAttribute("aria-valuetext", s);
      answer.setAttribute("aria-valuenow", s);
      answer.setAttribute("tabindex", state.known[i] ? 0 : -1);
      answer.setAttribute("aria-hidden", String(!state.known[i]));
    });
    const lines = Object.values(fits).map(({ line, error, expected }) => [...line, error, expected].map(shortNumber));
    table.update([[...truth.map(shortNumber), "", ""], ...lines]);
    table.rows[3].line.style.display = state.slide ? "" : "none";
    const told = tellFits(fits, state.slide);
    setText(readout, told);
    readout.setAttribute("data-value", JSON.stringify(fits));
    announce(told);
  }

  const view = connect(model, names, draw);
  const replaced = (list, i, value) => list.map((old, j) => (j === i ? value : old));
  const flip = (i) => view.set("known", replaced(view.state.known, i, !view.state.known[i]));
  const answerTo = (i, s) => view.set("teacher", replaced(view.state.teacher, i, bounded(s)));
  function pointTo(i, place) {
    const [x, y] = place.map(bounded);
    // The teacher answers at the new x with the same error.
    answerTo(i, view.state.teacher[i] + truth[1] * (x - view.state.points[i][0]));
    view.set("points", replaced(view.state.points, i, [x, y]));
  }
  const steps = (way) => way.map((part, k) => (2 * ends[k] * part) / KEY_STEPS);
  const groups = (name) => plane.examples.map((shapes) => shapes[name]);
  const held = holding([...groups("point"), ...groups("answer")], signal, () => view.redraw());
  const inPlane = (place) => plane.toData(place).map((value, k) => within(value, ends[k]));
  movable(plane.chart, groups("point"), signal, {
    name: (i) => `Label ${i + 1}; Enter hears or hides its teacher's answer`,
    step: (i, way) => pointTo(i, steps(way).map((part, k) => view.state.points[i][k] + part)),
    place: (i, place) => pointTo(i, inPlane(place)),
    tap: flip,
  });
  movable(plane.chart, groups("answer"), signal, {
    name: (i) => `Teacher's answer ${i + 1}`,
    step: (i, way) => answerTo(i, view.state.teacher[i] + steps(way)[1]),
    place: (i, place) => answerTo(i, inPlane(place)[1]),
  });
  bars.rows.forEach(({ group }, i) => group.addEventListener("click", () => flip(i), { signal }));
  draw(view.state);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
