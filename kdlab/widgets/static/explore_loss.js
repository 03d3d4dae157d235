// One example's distillation loss over T and lambda: its terms, its gradient on each logit.

/** All that is shown: p, q at T, the terms, their weighted sum, and the gradients. */
export function lossParts(student, teacher, target, { temperature, lambda, squared }) {
  const factor = squared ? temperature ** 2 : 1;
  const ce = crossEntropy(student, target);
  const kl = klDivergence(student, teacher, temperature);
  const taught = klGradient(student, teacher, temperature).map((g) => lambda * factor * g);
  const labelled = crossEntropyGradient(student, target).map((g) => (1 - lambda) * g);
  return {
    p: soften(teacher, temperature),
    q: soften(student, temperature),
    ce,
    kl,
    term: factor * kl,
    loss: (1 - lambda) * ce + lambda * factor * kl,
    taught,
    labelled,
    gradient: taught.map((g, i) => g + labelled[i]),
  };
}

/** Ends of the axes: what holds an example, T^2 included, at every T and lambda. */
export function axisEnds(student, teacher, target) {
  let [gradient, loss] = [1, crossEntropy(student, target)];
  for (const T of TEMPERATURES) {
    for (const g of klGradient(student, teacher, T)) gradient = Math.max(gradient, Math.abs(g) * T ** 2);
    loss = Math.max(loss, klDivergence(student, teacher, T) * T ** 2);
  }
  return { gradient: niceEnd(gradient), loss: niceEnd(loss) };
}

const LONGEST_LABEL = 13;

function lossBars(parent) {
  const [left, length] = [74, 234];
  const chart = drawing(parent, [370, 92], "Loss terms");
  svg("line", { class: "kd-grid", x1: left, x2: left, y1: 0, y2: 74 }, chart);
  svg("line", { class: "kd-grid", x1: left + length, x2: left + length, y1: 0, y2: 74 }, chart);
  svg("text", { class: "kd-tick", x: left, y: 88, "text-anchor": "middle" }, chart, "0");
  const end = svg("text", { class: "kd-tick", x: left + length, y: 88, "text-anchor": "middle" }, chart);
  const rows = ["labels", "teacher", "teacher"].map((style, i) => {
    const group = svg("g", { transform: `translate(0 ${i * 25})` }, chart);
    const name = svg("text", { x: left - 8, y: 12, "text-anchor": "end", class: "kd-name" }, group);
    const first = svg("rect", { x: left, y: 3, height: 18, class: i === 2 ? "kd-fill-labels" : `kd-fill-${style}` }, group);
    const second = i === 2 ? svg("rect", { y: 3, height: 18, class: "kd-fill-teacher" }, group) : null;
    return { group, name, first, second, number: svg("text", { y: 12, class: "kd-number" }, group) };
  });
  const names = ["ce", "term", "loss"];
  rows.forEach(({ group }, i) => group.setAttribute("data-kd", names[i]));
  return ({ ce, term, loss }, { lambda, squared, most }) => {
    const scale = length / most;
    const widths = [[ce, 0], [term, 0], [(1 - lambda) * ce, lambda * term]];
    const labels = ["CE", squared ? "T\u00b2 KL" : "KL", "L"];
    setText(end, String(most));
    rows.forEach(({ group, name, first, second, number }, i) => {
      // Without T^2, KL at T < 1 may leave the axis; its number says by how much.
      const [a, b] = widths[i].map((part) => Math.min(length, scale * Math.max(0, part)));
      const value = [ce, term, loss][i];
      setText(name, labels[i]);
      first.setAttribute("width", a);
      second?.setAttribute("x", left + a);
      second?.setAttribute("width", b);
      number.setAttribute("x", left + a + b + 6);
      setText(number, formatProbability(Math.max(0, value)));
      group.setAttribute("data-value", value);
    });
  };
}

/** p beside q, and beside them the gradient with its two parts, a row a class. */
function classRows(parent, names) {
  const longest = Math.max(...names.map((name) => name.length));
  const left = 38 + 7 * Math.min(LONGEST_LABEL, longest);
  const [width, gap, half, height] = [84, 84, 72, 24];
  const zero = left + width + gap + half;
  const bottom = 22 + names.length * height;
  const size = [zero + half + 58, bottom + 18];
  const chart = drawing(parent, size, "Probabilities and gradient of each class");
  svg("text", { x: left, y: 10, class: "kd-tick" }, chart, "p and q at T");
  svg("text", { x: zero, y: 10, "text-anchor": "middle", class: "kd-tick" }, chart, "gradient of L");
  const line = (x) => svg("line", { class: "kd-grid", x1: x, x2: x, y1: 18, y2: bottom }, chart);
  const tick = (x, text) => svg("text", { x, y: bottom + 13, "text-anchor": "middle", class: "kd-tick" }, chart, text);
  [[left, "0"], [left + width, "1"], [zero, "0"]].forEach(([x, text]) => [line(x), tick(x, text)]);
  const ends = [-1, 1].map((side) => [line(zero + side * half), tick(zero + side * half, "")][1]);
  const rows = names.map((name, i) => {
    const group = svg("g", { transform: `translate(0 ${22 + i * height})`, "data-class": i }, chart);
    const place = { x: left - 8, y: height / 2, "text-anchor": "end", class: "kd-name" };
    const label = nameText(place, group, name, LONGEST_LABEL);
    const bar = (y, high, style, x) => svg("rect", { x, y, height: high, class: `kd-fill-${style}` }, group);
    return {
      group,
      label,
      p: bar(3, 8, "teacher", left),
      q: bar(12, 8, "student", left),
      pair: svg("text", { y: height / 2, class: "kd-number kd-small" }, group),
      labelled: bar(2, 4, "labels", zero),
      taught: bar(6, 4, "teacher", zero),
      gradient: bar(11, 9, "student", zero),
      number: svg("text", { x: zero + half + 56, y: height / 2, "text-anchor": "end", class: "kd-number" }, group),
    };
  });
  const signed = (rect, value, scale) => {
    const length = Math.min(half, Math.abs(value) * scale);
    rect.setAttribute("x", value < 0 ? zero - length : zero);
    rect.setAttribute("width", length);
  };
  return (parts, { target, most }) => {
    const scale = half / most;
    ends.forEach((text, i) => setText(text, String(i ? most : -most)));
    rows.forEach((row, i) => {
      const [p, q, g] = [parts.p[i], parts.q[i], parts.gradient[i]];
      row.p.setAttribute("width", width * p);
      row.q.setAttribute("width", width * q);
      row.pair.setAttribute("x", left + width * Math.max(p, q) + 5);
      setText(row.pair, `${p.toFixed(3)} ${q.toFixed(3)}`);
      signed(row.labelled, parts.labelled[i], scale);
      signed(row.taught, parts.taught[i], scale);
      signed(row.gradient, g, scale);
      setText(row.number, `${g < 0 ? "\u2212" : "+"}${Math.abs(g).toFixed(4)}`);
      setText(row.label, shorten(names[i], LONGEST_LABEL) + (i === target ? " \u2190 y" : ""));
      row.group.setAttribute("data-value", g);
      row.group.classList.toggle("kd-strong", i === target);
    });
  };
}

function render({ model, el }) {
  const names = model.get("_class_names");
  const classes = names.length;
  const students = floats(model.get("_student_logits"));
  const teachers = floats(model.get("_teacher_logits"));
  const targets = model.get("_targets");
  const { root, signal, close } = frame(el, "explore_loss", "Distillation loss of one example");
  const controls = html("div", { class: "kd-controls" }, root);
  const temperature = temperatureSlider(controls, signal, (value) => view.set("temperature", value));
  const lambda = slider(controls, signal, {
    label: "Teacher's weight \u03bb", name: "Lambda", min: 0, max: 1, step: 0.01,
    format: (value) => `\u03bb = ${value.toFixed(2)}`,
    say: (value) => value.toFixed(2),
    onInput: (value) => view.set("lambda_", value),
  });
  const squared = toggle(controls, signal, {
    label: "factor T\u00b2",
    onInput: (on) => view.set("squared", on),
  });
  const choose = exampleChooser(root, signal, targets.length, null, (i) => view.set("example", i));
  const formula = html("div", { class: "kd-formula", "data-kd": "formula" }, root);
  const body = html("div", { class: "kd-body" }, root);
  const side = html("div", { class: "kd-panel" }, body);
  const showTerms = lossBars(side);
  html("div", { class: "kd-heading" }, side, "Length of the teacher's gradient (\u03bb left out)");
  const curves = lengthCurves(side);
  const showRows = classRows(html("div", { class: "kd-panel" }, body), names);
  const legend = html("div", { class: "kd-legend" }, root);
  for (const [style, text] of [["teacher", "teacher: p, and its part"], ["labels", "labels: their part"], ["student", "student: q, and the whole gradient"]]) {
    html("span", { class: `kd-key kd-key-${style}` }, legend, text);
  }
  const announce = announcer(root, signal);
  let drawn = -1;
  let ends;

  function draw(state) {
    const student = row(students, classes, state.example);
    const teacher = row(teachers, classes, state.example);
    const target = targets[state.example];
    if (drawn !== state.example) {
      choose(state.example);
      curves.reset(student, teacher);
      ends = axisEnds(student, teacher, target);
      drawn = state.example;
    }
    const settings = { temperature: state.temperature, lambda: state.lambda_, squared: state.squared };
    const parts = lossParts(student, teacher, target, settings);
    temperature.set(state.temperature);
    lambda.set(state.lambda_);
    squared.set(state.squared);
    showTerms(parts, { ...settings, most: ends.loss });
    showRows(parts, { target, most: ends.gradient });
    curves.update(state.temperature, gradientLength(student, teacher, state.temperature, state.squared), state.squared);
    const name = state.squared ? "T\u00b2 KL" : "KL";
    setText(formula, `L = (1 \u2212 \u03bb) CE + \u03bb ${name} = ${(1 - state.lambda_).toFixed(2)} \u00d7 ${parts.ce.toFixed(4)}`
      + ` + ${state.lambda_.toFixed(2)} \u00d7 ${parts.term.toFixed(4)} = ${parts.loss.toFixed(4)}`);
    announce(`T ${twoDigits(state.temperature)}, lambda ${state.lambda_.toFixed(2)}: loss ${parts.loss.toFixed(3)}, `
      + `cross-entropy ${parts.ce.toFixed(3)}, teacher's term ${parts.term.toFixed(3)}`);
  }

  const view = connect(model, ["temperature", "lambda_", "squared", "example"], draw);
  draw(view.state);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
