// Test images of one class, ordered by how much each looks like another at T; beside them
// the class-similarity matrix, which moves with T, and the confusion matrix, which cannot.

const SLOTS = 24;
const LONGEST_CAPTION = 8;

/** Examples of class `from`, by falling probability of class `to`; equals keep their order. */
export function orderByLikeness(probabilities, targets, classes, from, to) {
  const chosen = [];
  targets.forEach((target, example) => {
    if (target === from) chosen.push(example);
  });
  return chosen.sort((a, b) => probabilities[b * classes + to] - probabilities[a * classes + to]);
}

function chooser(parent, signal, label, names, onChoose) {
  const box = html("label", { class: "kd-toggle" }, parent);
  html("span", {}, box, label);
  const select = html("select", { ...OWN_KEYS }, box);
  names.forEach((name, i) => html("option", { value: i }, select, name));
  select.addEventListener("change", () => onChoose(Number(select.value)), { signal });
  return (chosen) => { select.value = chosen; };
}

/** What an image is called instead, on a line of its own where it is long. */
function callOut(name) {
  return `${name.length > 2 ? "\n" : " "}\u2192${shorten(name, LONGEST_CAPTION)}`;
}

/** A row of pictures with a number under each; only what changed is drawn again. */
function gallery(parent, images) {
  const box = html("div", { class: "kd-gallery" }, parent);
  const slots = Array.from({ length: SLOTS }, () => {
    const figure = html("figure", {}, box);
    const canvas = html("canvas", { role: "img" }, figure);
    return { figure, canvas, caption: html("figcaption", {}, figure), example: -1 };
  });
  return (examples, valueOf, saidOf, describe) => slots.forEach((slot, i) => {
    const example = examples[i];
    slot.figure.hidden = example === undefined;
    if (example === undefined) return;
    const said = saidOf(example);
    const wrong = said !== null;
    setText(slot.caption, formatProbability(valueOf(example)) + (wrong ? callOut(said) : ""));
    slot.caption.title = said ?? "";
    slot.figure.setAttribute("data-value", valueOf(example));
    if (slot.example === example) return;
    slot.example = example;
    slot.figure.setAttribute("data-example", example);
    slot.figure.classList.toggle("kd-wrong", wrong);
    slot.canvas.setAttribute("aria-label", describe(example));
    drawImage(slot.canvas, images, example);
  });
}

function render({ model, el }) {
  const names = model.get("_class_names");
  const classes = names.length;
  const logits = floats(model.get("_logits"));
  const targets = bytes(model.get("_targets"));
  const images = readImages(model);
  const probabilities = new Float64Array(logits.length);
  const confusion = confusionMatrix(logits, targets, classes);
  const totals = new Float64Array(classes);
  targets.forEach((target) => { totals[target] += 1; });
  const guesses = Array.from(targets, (_, i) => {
    const scores = row(logits, classes, i);
    return scores.indexOf(Math.max(...scores));
  });

  const { root, signal, close } = frame(el, "explore_dark_knowledge", "Dark knowledge");
  const controls = html("div", { class: "kd-controls" }, root);
  const temperature = temperatureSlider(controls, signal, (value) => view.set("temperature", value));
  const chooseTrue = chooser(controls, signal, "images of", names, (i) => view.set("true_class", i));
  const chooseOther = chooser(controls, signal, "by likeness to", names, (i) => view.set("other_class", i));
  const order = html("div", { class: "kd-heading", "data-kd": "order" }, root);
  const show = gallery(root, images);
  const body = html("div", { class: "kd-body" }, root);
  const pick = (r, c) => {
    view.set("true_class", r);
    view.set("other_class", c);
  };
  let pointed = null;
  const onPoint = (describe) => {
    pointed = describe;
    view.redraw();
  };
  const shared = { names, onChoose: pick, onPoint };
  const similarity = matrix(body, signal, {
    ...shared,
    label: "Class similarity: mean softened prediction",
    format: (p) => (Number.isNaN(p) ? "" : p < 0.995 ? p.toFixed(2).slice(1) : "1"),
    describe: (p, r, c) => `${names[r]} looks like ${names[c]}: mean probability ${formatProbability(p)} at T = ${twoDigits(view.state.temperature)}`,
  });
  const mistakes = matrix(body, signal, {
    ...shared,
    label: "Confusion: images by largest score",
    format: String,
    describe: (n, r, c) => `${n} of ${totals[r]} images of ${names[r]} are called ${names[c]}`,
  });
  const readout = html("div", { class: "kd-readout", "data-kd": "readout" }, root);
  html("div", { class: "kd-note" }, root, "T moves the similarity. It never moves the confusion matrix: "
    + "dividing all scores by T leaves the largest one the largest. Shades follow the square root of the share.");
  const announce = announcer(root, signal);
  mistakes.update(confusion, confusion.map((n, i) => n / totals[Math.floor(i / classes)]));

  function draw({ temperature: T, true_class: from, other_class: to }) {
    softenTable(logits, classes, T, probabilities);
    const table = classSimilarity(probabilities, targets, classes);
    const examples = orderByLikeness(probabilities, targets, classes, from, to);
    const valueOf = (example) => probabilities[example * classes + to];
    const saidOf = (example) => (guesses[example] === from ? null : names[guesses[example]]);
    temperature.set(T);
    chooseTrue(from);
    chooseOther(to);
    similarity.update(table, table);
    similarity.select(from, to);
    mistakes.select(from, to);
    show(examples, valueOf, saidOf, (example) => `Test image ${example}, a ${names[from]}`
      + (saidOf(example) === null ? "" : `, taken for ${saidOf(example)}`));
    const some = Math.min(SLOTS, examples.length);
    setText(order, `The ${some} of ${examples.length} images of ${names[from]} that look most like ${names[to]}, `
      + `probability under each${examples.some((e) => saidOf(e) !== null) ? " (\u2192 what the teacher takes it for)" : ""}`);
    const cellText = `${names[from]} looks like ${names[to]}: mean probability `
      + `${formatProbability(table[from * classes + to])} at T = ${twoDigits(T)}`;
    setText(readout, pointed?.() ?? `${cellText}; ${confusion[from * classes + to]} of ${totals[from]} called ${names[to]}`);
    announce(cellText);
  }

  const view = connect(model, ["temperature", "true_class", "other_class"], draw);
  draw(view.state);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
