// The density of a teacher's answers s for a student's g of three classes, beside cross-entropy.

// As in Python: the likeliest student of a smaller share may be too small for a double.
const LEAST = 0.002;
const KEY_UNIT = 0.01;
const TEACHER_COLOUR = [0, 114, 178];
const STUDENT_COLOUR = [213, 94, 0];
const ROWS = ["student g", "mean of s, given g", "likeliest s, given g", "teacher s", "density's best g, given s"];

const clean = (shares) => clampShares(shares, LEAST).map((share) => Number(share.toPrecision(14)));

/** All that is told of a student g and an answer s on a support. */
export function answerParts(g, s, support) {
  const logG = g.map(Math.log);
  const log = logConstant(logG, support);
  const crossEntropy = answerCrossEntropy(s, logG);
  const published = publishedLogConstant(logG);
  return {
    logConstant: log,
    crossEntropy,
    logDensity: log - crossEntropy,
    mode: modeAnswer(logG, support),
    mean: meanAnswer(logG, support),
    constants: SUPPORTS.map((name) => Math.exp(logConstant(logG, name))),
    masses: SUPPORTS.map((name) => Math.exp(published - logConstant(logG, name))),
  };
}

/** Which answers of the teacher the density has as the likeliest, in words. */
export function tellMode(mode, names) {
  const top = names.filter((_, k) => mode[k] > 0);
  if (!top.length) return `the likeliest s is (${mode.join(", ").replaceAll("-", "\u2212")}), whatever g is`;
  if (top.length === names.length) return "every s is equally likely";
  return top.length === 1 ? `the likeliest s is all ${top[0]}, not g` : `the likeliest s lie between ${top.join(" and ")}`;
}

/** What student the density asks for, in words; cross-entropy asks for s itself. */
export function tellBest(s, best) {
  const [most, largest] = [Math.max(...s), Math.max(...best)];
  if (Math.abs(largest - most) < 5e-4) return "the best g for this s is about s itself";
  return `the best g for this s is ${largest > most ? "sharper" : "flatter"} than s, its largest share ${largest.toFixed(3)} and not ${most.toFixed(3)}`;
}

function supportChooser(parent, signal, onInput) {
  const box = html("label", { class: "kd-toggle" }, parent);
  html("span", {}, box, "s lies on the");
  const select = html("select", { "aria-label": "Support of s", ...OWN_KEYS }, box);
  for (const name of SUPPORTS) html("option", { value: name }, select, name);
  select.addEventListener("change", () => onInput(select.value), { signal });
  return select;
}

function panel(parent, heading, names, options) {
  const made = html("div", { class: "kd-plane-panel" }, parent);
  html("div", { class: "kd-heading" }, made, heading);
  const drawn = triangle(made, names, options);
  const note = html("div", { class: "kd-note" }, made);
  return { ...drawn, note };
}

function render({ model, el }) {
  const names = model.get("_class_names");
  const start = { student: model.get("student"), teacher: model.get("teacher") };
  const { root, signal, close } = frame(el, "explore_simplex", "Density of a teacher's answers");
  const controls = html("div", { class: "kd-controls" }, root);
  const select = supportChooser(controls, signal, (name) => view.set("support", name));
  const third = names.map(() => 1 / names.length);
  commands(controls, signal, "Move g and s", [
    ["g uniform", () => view.set("student", third)],
    ["s = g", () => view.set("teacher", [...view.state.student])],
    ["Reset", () => ["student", "teacher"].forEach((name) => view.set(name, start[name]))],
  ]);
  const readout = html("div", { class: "kd-readout", "data-kd": "told" }, root);
  const body = html("div", { class: "kd-body" }, root);
  const left = panel(body, "Density of s, given g", names, {
    label: "Density over the teacher's answers", colour: TEACHER_COLOUR, marks: ["mode", "mean"],
  });
  const right = panel(body, "Cross-entropy of g, given s", names, {
    label: "Cross-entropy over the students", colour: STUDENT_COLOUR, marks: ["best"],
  });
  html("div", { class: "kd-note" }, root, "Drag g or s, or Tab and arrow keys.");
  const tables = html("div", { class: "kd-tables" }, root);
  const classTable = numberTable(tables, "Answers by class", [...names.map((name) => shorten(name, 7)), "sum"], ROWS);
  const supports = numberTable(tables, "Constants by support", ["C", "printed C \u00d7 integral"], SUPPORTS);
  html("div", { class: "kd-note" }, root, "log p(s) = log C \u2212 cross-entropy. A constant is right where it times the integral of \u220f g^s is 1; for three classes the printed one is right on none.");
  const announce = announcer(root, signal);

  function draw({ student: g, teacher: s, support }) {
    const parts = answerParts(g, s, support);
    const bestLogs = likeliestStudent(s, support);
    const best = bestLogs.map(Math.exp);
    const [logG, onSimplex] = [g.map(Math.log), support === "simplex"];
    const highest = Math.max(...logG);
    const least = answerCrossEntropy(s, s.map(Math.log));
    left.show(
      (p) => Math.exp(p[0] * logG[0] + p[1] * logG[1] + p[2] * logG[2] - highest),
      [s, g], onSimplex ? { mode: parts.mode, mean: parts.mean } : {},
    );
    right.show((_, logs) => Math.exp(least - answerCrossEntropy(s, logs)), [s, g], { best });
    const end = (log) => shortNumber(Math.exp(parts.logConstant + log));
    setText(left.note, onSimplex
      ? `\u00d7 likeliest s, + mean of s. p(s) from ${end(Math.min(...logG))} (pale) to ${end(highest)} (deep).`
      : `A slice of the ${support}: p(s) from ${end(Math.min(...logG))} (pale) to ${end(highest)} (deep). Likeliest s and mean lie off it.`);
    setText(right.note, `Least at g = s: ${shortNumber(least)} (deep); ${shortNumber(parts.crossEntropy)} at g. \u25c7 best g by the density instead.`);
    for (const drawn of [left, right]) {
      [s, g].forEach((shares, i) => {
        drawn.points[i].setAttribute("aria-valuetext", shares.map((share) => share.toFixed(3)).join(", "));
        drawn.points[i].setAttribute("aria-valuenow", shares[0].toFixed(3));
      });
    }
    const sum = (shares) => shares.reduce((a, b) => a + b, 0);
    classTable.update([g, parts.mean, parts.mode, s, best].map((shares) => [...shares, sum(shares)].map(shortNumber)));
    supports.update(SUPPORTS.map((_, i) => [parts.constants[i], parts.masses[i]].map(exactNumber)));
    supports.rows.forEach(({ line }, i) => {
      line.classList.toggle("kd-chosen", SUPPORTS[i] === support);
    });
    select.value = support;
    const told = `On the ${support}: C = ${exactNumber(Math.exp(parts.logConstant))}, log p(s) = ${shortNumber(parts.logDensity)}, `
      + `cross-entropy ${shortNumber(parts.crossEntropy)}. By this density ${tellMode(parts.mode, names)}; ${tellBest(s, best)}.`;
    setText(readout, told);
    readout.setAttribute("data-value", JSON.stringify({ ...parts, best, bestLogs }));
    announce(told);
  }

  const view = connect(model, ["student", "teacher", "support"], draw);
  const traits = ["teacher", "student"];
  [left, right].forEach(({ chart, points }, side) => movable(chart, points, signal, {
    name: (i) => `${["Teacher's answer s", "Student's g"][i]}, ${["density", "cross-entropy"][side]}`,
    step: (i, way) => view.set(traits[i], clean(stepShares(view.state[traits[i]], way, KEY_UNIT))),
    place: (i, place) => view.set(traits[i], clean(sharesOfPlace(place))),
  }));
  draw(view.state);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
