// The cockpit: buttons, three sliders, and curves that Python sends while it trains.

const LINES = [
  ["labels_only", "labels", "labels only"],
  ["distilled", "student", "distilled"],
  ["teacher", "teacher", "teacher"],
];
const SIGNS = { temperature: "T", lambda_: "\u03bb", learning_rate: "rate" };
const NOTHING = { steps: [], labels_only: [], distilled: [], marks: [], teacher: null, examples: 1000 };

function trainingSliders(parent, signal, set) {
  const two = (value) => String(Number(value.toPrecision(2)));
  const lambda = { label: "Teacher's weight \u03bb", name: "Lambda, weight of the teacher", min: 0, max: 1, step: 0.05 };
  return {
    temperature: temperatureSlider(parent, signal, (value) => set("temperature", value)),
    lambda_: slider(parent, signal, {
      ...lambda, format: (value) => `\u03bb = ${value.toFixed(2)}`, say: two, onInput: (value) => set("lambda_", value),
    }),
    learning_rate: rateSlider(parent, signal, (value) => set("learning_rate", value)),
  };
}

function lastNumbers({ labels_only: alone, distilled, teacher }) {
  return [alone.at(-1) ?? null, distilled.at(-1) ?? null, teacher];
}

function speak(curves) {
  const last = lastNumbers(curves);
  return last[0] === null ? "" : `${last[0]} errors with labels only, ${last[1]} distilled, `
    + `${last[2]} of the teacher, of ${curves.examples}`;
}

function render({ model, el }) {
  const { root, signal, close } = frame(el, "watch_training", "Two students, one teacher: live training");
  const begin = liveSession(model, root, signal, NOTHING);
  const controls = html("div", { class: "kd-controls" }, root);
  const sliders = trainingSliders(controls, signal, (name, value) => view.set(name, value));
  const markText = ({ name, value }) => `${SIGNS[name]} ${Number(value.toPrecision(2))}`;
  const chart = logChart(root, { width: 690, height: 250, lines: ["labels", "student"], markText });
  const showNumbers = lineLegend(root, LINES);

  function draw(state, curves) {
    for (const name of Object.keys(sliders)) sliders[name].set(state[name]);
    const series = [curves.labels_only, curves.distilled];
    const known = curves.teacher === null ? [] : [curves.teacher];
    chart.update(curves, {
      words: `Errors of ${curves.examples.toLocaleString("en")} test images`,
      series,
      range: countRange(curves.examples, [...series.flat(), ...known]),
      teacher: curves.teacher,
    });
    showNumbers(lastNumbers(curves));
    chart.chart.setAttribute("aria-label", `Test errors over steps. ${speak(curves)}`);
  }

  const view = begin(Object.keys(SIGNS), draw, speak);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
