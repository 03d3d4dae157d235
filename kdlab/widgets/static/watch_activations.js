// Histograms of each layer's sigmoids, without and with batch normalization, while both train.

const NETWORKS = [["plain", "control", "plain"], ["normalized", "student", "with batch normalization"]];
const NOTHING = { steps: [], plain: [], normalized: [], marks: [], teacher: null, examples: 1000 };
const KINDS = { outputs: "sigmoids' outputs", inputs: "sigmoids' inputs" };
const ENDS = { outputs: ["0", "1"], inputs: ["\u22128", "8"] };
const LAYERS = 3;
const PANEL = { left: 12, top: 22, width: 206, height: 92 };
// A bin as tall as the panel holds a tenth of all; a fuller one is cut off.
const TALLEST = 0.1;

const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** Outlines of bars: a path over all bins, `top` at TALLEST. */
export function stepsPath(shares, { left, top, width, height }) {
  const across = width / shares.length;
  const bars = shares.map((share, i) => {
    const y = top + height * (1 - Math.min(1, share / TALLEST));
    return `L${(left + i * across).toFixed(2)} ${y.toFixed(2)}H${(left + (i + 1) * across).toFixed(2)}`;
  });
  return `M${left} ${top + height}${bars.join("")}V${top + height}Z`;
}

function panel(parent, style, label) {
  const { left, top, width, height } = PANEL;
  const chart = drawing(parent, [left + width + 12, top + height + 20], label);
  const title = svg("text", { x: left, y: 14 }, chart);
  svg("rect", { class: "kd-plane", x: left, y: top, width, height }, chart);
  const bars = svg("path", { class: `kd-fill-${style}` }, chart);
  const tick = (x, anchor) => svg("text", { class: "kd-tick", x, y: top + height + 14, "text-anchor": anchor }, chart);
  const ends = [tick(left, "start"), tick(left + width, "end")];
  return (words, shares, kind) => {
    setText(title, words);
    ends.forEach((node, i) => setText(node, ENDS[kind][i]));
    bars.setAttribute("d", shares ? stepsPath(shares, PANEL) : "");
    bars.setAttribute("data-value", JSON.stringify(shares ?? []));
    chart.setAttribute("aria-label", `${label}: ${words}`);
  };
}

function histograms(parent) {
  const rows = NETWORKS.map(([name, style, words]) => {
    html("div", { class: "kd-heading" }, parent, words[0].toUpperCase() + words.slice(1));
    const row = html("div", { class: "kd-layers", "data-network": name }, parent);
    return [name, Array.from({ length: LAYERS }, (_, i) => panel(row, style, `${words}, layer ${i + 1}`))];
  });
  return (shown, kind) => rows.forEach(([name, panels]) => panels.forEach((show, i) => {
    const told = shown?.[name];
    const numbers = told && `: sd ${told.spread[i].toFixed(2)}, ${Math.round(100 * told.saturated[i])} % saturated`;
    show(`layer ${i + 1}${numbers ?? ""}`, told?.[kind][i], kind);
  }));
}

function kindChoice(parent, signal, onInput) {
  const box = html("label", { class: "kd-toggle" }, parent);
  html("span", {}, box, "Show");
  const select = html("select", { "aria-label": "Show", ...OWN_KEYS }, box);
  Object.entries(KINDS).forEach(([value, words]) => html("option", { value }, select, words));
  select.addEventListener("change", () => onInput(select.value), { signal });
  return (kind) => { select.value = kind; };
}

function speak(curves) {
  if (!curves.steps.length) return "";
  return `${percent(curves.plain.at(-1))} of ${curves.examples} test images right without, `
    + `${percent(curves.normalized.at(-1))} with batch normalization`;
}

const SIGNS = { learning_rate: "rate" };

function render({ model, el }) {
  const { root, signal, close } = frame(el, "watch_activations", "Activations with and without batch normalization: live");
  const begin = liveSession(model, root, signal, NOTHING);
  const set = (name) => (value) => view.set(name, value);
  const controls = html("div", { class: "kd-controls" }, root);
  const sliders = {
    learning_rate: rateSlider(controls, signal, set("learning_rate"), 10),
    init_scale: smallSlider(controls, signal, "First weights' sd", 10, set("init_scale")),
  };
  const showKind = kindChoice(controls, signal, set("kind"));
  html("p", { class: "kd-note" }, root, "First weights count from the next Reset on. A bar up to the top: a tenth of all values or more. "
    + "Sd: of an output over the images, the mean over units. Saturated: nearer than 0.05 to 0 or 1.");
  const showHistograms = histograms(root);
  const markText = ({ name, value }) => `${SIGNS[name]} ${Number(value.toPrecision(2))}`;
  const chart = percentChart(root, { width: 690, height: 170, lines: ["student", "control"], markText });
  const showNumbers = lineLegend(root, NETWORKS);

  function draw(state, curves, shown) {
    for (const name of Object.keys(sliders)) sliders[name].set(state[name]);
    showKind(state.kind);
    showHistograms(shown, state.kind);
    chart.update(curves, {
      words: `Accuracy on ${curves.examples.toLocaleString("en")} test images`,
      series: [curves.normalized, curves.plain],
      range: { low: 0, high: 1 },
    });
    showNumbers(NETWORKS.map(([name]) => (curves[name].length ? percent(curves[name].at(-1)) : null)));
    chart.chart.setAttribute("aria-label", `Test accuracy over steps. ${speak(curves)}`);
  }

  const view = begin(["learning_rate", "init_scale", "kind"], draw, speak);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
