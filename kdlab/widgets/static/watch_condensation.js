// One learned image a class, and what a network that sees nothing else gets right.

const LINES = [["learned", "student", "trained on the learned images"], ["random", "control", "on random real ones"]];
const NOTHING = { steps: [], learned: [], random: [], marks: [], teacher: null, examples: 1000 };

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const meanOf = (numbers) => (numbers.length ? numbers.reduce((a, b) => a + b) / numbers.length : null);

/** The frame's images, as `drawImage` takes them. */
export function imagesOf({ images, shape: [count, channels, height, width] }) {
  const text = atob(images);
  return { bytes: Uint8Array.from(text, (c) => c.charCodeAt(0)), shape: { count, channels, height, width } };
}

function learnedImages(parent, names) {
  const box = html("div", { class: "kd-learned", role: "group", "aria-label": "Learned images" }, parent);
  const figures = names.map((name) => {
    const figure = html("figure", {}, box);
    const canvas = html("canvas", { role: "img", "aria-label": `Learned image of ${name}` }, figure);
    const caption = html("figcaption", {}, figure);
    html("span", { class: "kd-class", title: name }, caption, name);
    return { canvas, share: html("span", { class: "kd-share" }, caption) };
  });
  return (frame) => {
    // Before Python has answered, and without a kernel, there is nothing to see.
    if (!frame?.images) return;
    const images = imagesOf(frame);
    figures.forEach(({ canvas, share }, i) => {
      drawImage(canvas, images, i);
      const known = frame.shares[i] ?? null;
      setText(share, known === null ? "\u2013" : `${Math.round(100 * known)} %`);
      share.setAttribute("data-value", known ?? "");
    });
  };
}

function speak(curves) {
  const random = meanOf(curves.random);
  if (!curves.steps.length) return "";
  return `${percent(curves.learned.at(-1))} of ${curves.examples} test images right, trained on the learned images`
    + `${random === null ? "" : `; ${percent(random)} on random real ones`}`;
}

function render({ model, el }) {
  const { root, signal, close } = frame(el, "watch_condensation", "One learned image a class: live");
  const begin = liveSession(model, root, signal, NOTHING);
  const controls = html("div", { class: "kd-controls" }, root);
  const rate = rateSlider(controls, signal, (value) => view.set("learning_rate", value), 10);
  const showImages = learnedImages(root, model.get("_class_names"));
  html("p", { class: "kd-note" }, root, "Under each image: the share of its class's test images that are recognized.");
  const markText = ({ value }) => `rate ${Number(value.toPrecision(2))}`;
  const size = { width: 690, height: 200, shortest: 100, unit: "rounds" };
  const chart = percentChart(root, { ...size, lines: ["student", "control"], markText });
  const showNumbers = lineLegend(root, LINES);

  function draw(state, curves, shown) {
    rate.set(state.learning_rate);
    showImages(shown);
    const random = meanOf(curves.random);
    chart.update(curves, {
      words: `A fresh network's accuracy on ${curves.examples.toLocaleString("en")} test images`,
      series: [curves.learned, curves.steps.map(() => random ?? 0)],
      range: { low: 0, high: 1 },
      band: curves.steps.length && random !== null ? curves.random : null,
    });
    const last = curves.learned.at(-1);
    showNumbers([last === undefined ? null : percent(last), random === null ? null : percent(random)]);
    chart.chart.setAttribute("aria-label", `Test accuracy over rounds. ${speak(curves)}`);
  }

  const view = begin(["learning_rate"], draw, speak);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
