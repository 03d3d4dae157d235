// Learners who teach each other: a graph of who hears whom, sliders, and their curves.

const SIGNS = { temperature: "T", learning_rate: "rate" };
const ORDERS = ["in turn", "at once"];
const TRAITS = ["weights", "temperature", "learning_rate", "order"];

/** All numbers of a training that has not begun. */
function nothingOf(letters) {
  const none = Object.fromEntries(letters.flatMap((letter) => [[letter, []], [`entropy_${letter}`, []]]));
  return { steps: [], marks: [], teacher: null, examples: 1000, agreement: [], ...none };
}

function orderChoice(parent, signal, onInput) {
  const box = html("label", { class: "kd-toggle" }, parent);
  html("span", {}, box, "Order");
  const select = html("select", { "aria-label": "Order", ...OWN_KEYS }, box);
  ORDERS.forEach((order) => html("option", { value: order }, select, order));
  select.addEventListener("change", () => onInput(select.value), { signal });
  return (order) => { select.value = order; };
}

/** Graph, table and slider of one chosen weight; `set` is told of a move, `say` what gave way. */
function weightControls(parent, signal, { heard, letters }, set, say) {
  const edges = letters.flatMap((_, k) => heard.map((_, j) => [k, j])).filter(([k, j]) => k !== j);
  let [chosen, weights] = [edges[0], []];
  // The row as it was before the slider moved: moving back gives the others back.
  let base = null;
  const onChoose = (pair) => {
    [chosen, base] = [pair, null];
    show(weights);
  };
  const body = html("div", { class: "kd-body" }, parent);
  const showGraph = learnerGraph(html("div", { class: "kd-graph" }, body), signal, { heard, edges, onChoose });
  const side = html("div", { class: "kd-side" }, body);
  html("div", { class: "kd-heading" }, side, "Choose who hears whom, then move the weight");
  const showTable = weightTable(html("div", { class: "kd-scroll" }, side), signal, { heard, edges, onChoose });
  const moving = slider(side, signal, {
    label: "Weight", min: 0, max: 1, step: 0.05, format: (value) => value.toFixed(2), onInput: move,
  });
  const note = html("p", { class: "kd-note", "data-kd": "gave-way" }, side);

  function move(value) {
    const [k, j] = chosen;
    base ??= weights[k];
    const moved = weights.map((row, i) => (i === k ? giveWay(base, j, value) : row));
    set(moved);
    if (gave(moved)) say(gaveWay());
  }

  const gave = (rows) => base !== null && base.some((weight, i) => i !== chosen[1] && rows[chosen[0]][i] < weight);
  const gaveWay = () => `${heard[chosen[0]]}'s row would pass 1: its other weights gave way.`;

  function show(next) {
    const [k, j] = chosen;
    // Python answers with a table of its own: it counts as ours if the row is what came of base.
    if (base !== null && String(giveWay(base, j, next[k][j])) !== String(next[k])) base = null;
    weights = next;
    const told = edges.map(([r, c]) => `${heard[r]} hears ${heard[c]} ${weights[r][c].toFixed(2)}`);
    showGraph(weights, chosen, `Who hears whom. ${told.join(", ")}`);
    showTable(weights, chosen);
    moving.rename(`${heard[k]} hears ${heard[j]}`);
    moving.set(Math.round(100 * weights[k][j]) / 100);
    setText(note, gave(weights) ? gaveWay() : "A row sums to at most 1; the rest is the labels'.");
  }
  return show;
}

function smallCharts(parent, letters) {
  const body = html("div", { class: "kd-body" }, parent);
  const chart = (lines) => logChart(html("div", { class: "kd-small-chart" }, body), { width: 290, height: 110, lines });
  const [pairs, entropies] = [chart(["pairs"]), chart(letters.map((_, i) => `learner${i}`))];
  return (curves, classes) => {
    const apart = curves.agreement.map((share) => Math.round(1e4 * (1 - share) * curves.examples) / 1e4);
    const words = `Images on which a pair disagrees${apart.length ? `: ${Number(apart.at(-1).toFixed(1))}` : ""}`;
    pairs.update(curves, { words, series: [apart], range: countRange(curves.examples, apart) });
    pairs.chart.setAttribute("aria-label", words);
    const series = letters.map((letter) => curves[`entropy_${letter}`]);
    const least = Math.min(0.02, ...series.flat());
    const range = { high: Math.log(classes), low: Math.max(1e-4, 10 ** Math.floor(Math.log10(Math.max(least, 1e-4)))) };
    entropies.update(curves, { words: "Entropy of predictions, nats", series, range });
    const last = letters.map((letter, i) => (series[i].length ? `${letter} ${series[i].at(-1)}` : "")).join(", ");
    entropies.chart.setAttribute("aria-label", `Entropy of predictions in nats: ${last}`);
  };
}

function markText({ name, value }) {
  if (name in SIGNS) return `${SIGNS[name]} ${Number(value.toPrecision(2))}`;
  return name === "order" ? value : name;
}

function render({ model, el }) {
  const heard = model.get("_heard");
  const letters = heard.filter((name) => name !== "teacher");
  const { root, signal, close } = frame(el, "watch_learners", "Learners who teach each other: live training");
  const begin = liveSession(model, root, signal, nothingOf(letters));
  const set = (name) => (value) => view.set(name, value);
  const controls = html("div", { class: "kd-controls" }, root);
  const sliders = {
    temperature: temperatureSlider(controls, signal, set("temperature")),
    learning_rate: rateSlider(controls, signal, set("learning_rate")),
  };
  const showOrder = orderChoice(controls, signal, set("order"));
  const showWeights = weightControls(root, signal, { heard, letters }, set("weights"), (words) => view.announce(words));
  const lines = letters.map((_, i) => `learner${i}`);
  const chart = logChart(root, { width: 690, height: 180, lines, markText });
  const showNumbers = lineLegend(root, heard.map((name, i) => (
    name === "teacher" ? [name, name, name] : [name, `learner${i}`, `learner ${name}`]
  )));
  const showSmall = smallCharts(root, letters);
  const newest = (curves) => heard.map((name) => (name === "teacher" ? curves.teacher : curves[name].at(-1) ?? null));

  function speak(curves) {
    if (!curves.steps.length) return "";
    const told = newest(curves).map((errors, i) => `${errors} of ${i < letters.length ? "learner " : "the "}${heard[i]}`);
    const share = (100 * curves.agreement.at(-1)).toFixed(1);
    return `Errors of ${curves.examples}: ${told.join(", ")}; pairs agree on ${share} %`;
  }

  function draw(state, curves) {
    for (const name of Object.keys(sliders)) sliders[name].set(state[name]);
    showOrder(state.order);
    showWeights(state.weights);
    const series = letters.map((letter) => curves[letter]);
    const known = curves.teacher === null ? [] : [curves.teacher];
    chart.update(curves, {
      words: `Errors of ${curves.examples.toLocaleString("en")} test images`,
      series,
      range: countRange(curves.examples, [...series.flat(), ...known]),
      teacher: curves.teacher,
    });
    chart.chart.setAttribute("aria-label", `Test errors over steps. ${speak(curves)}`);
    showNumbers(newest(curves));
    showSmall(curves, model.get("_classes"));
  }

  const view = begin(TRAITS, draw, speak);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
