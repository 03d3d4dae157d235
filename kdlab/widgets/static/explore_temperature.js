// One example's softmax at T: bars, entropy, its image, other examples to choose.

function entropyMeter(parent, classes) {
  const most = Math.log(classes);
  const box = html("div", { class: "kd-meter" }, parent);
  const text = html("span", { class: "kd-number", "data-kd": "entropy" }, box);
  const rail = html("span", { class: "kd-rail", "aria-hidden": "true" }, box);
  const fill = html("span", { class: "kd-rail-fill" }, rail);
  return (nats) => {
    const share = nats / most;
    text.setAttribute("data-value", nats);
    fill.style.transform = `scaleX(${share})`;
    setText(text, `Entropy ${nats.toFixed(3)} nats, ${(100 * share).toFixed(1)} % of ln ${classes}`);
  };
}

function render({ model, el }) {
  const names = model.get("_class_names");
  const classes = names.length;
  const logits = floats(model.get("_logits"));
  const count = logits.length / classes;
  const images = readImages(model);
  const { root, signal, close } = frame(el, "explore_temperature", "Softmax at a temperature");
  const controls = html("div", { class: "kd-controls" }, root);
  const temperature = temperatureSlider(controls, signal, (value) => view.set("temperature", value));
  const logAxis = toggle(controls, signal, {
    label: "log axis",
    onInput: (on) => view.set("log_axis", on),
  });
  const choose = exampleChooser(root, signal, count, images, (i) => view.set("example", i));
  const body = html("div", { class: "kd-body" }, root);
  const canvas = images && html("canvas", { class: "kd-image", role: "img" }, body);
  const panel = html("div", { class: "kd-panel" }, body);
  const bars = probabilityBars(panel, names, { label: "Probability of each class" });
  const showEntropy = entropyMeter(panel, classes);
  const announce = announcer(root, signal);
  let drawn = -1;

  function draw(state) {
    const scores = row(logits, classes, state.example);
    const probabilities = soften(scores, state.temperature);
    const nats = entropyOf(probabilities);
    const best = probabilities.indexOf(Math.max(...probabilities));
    temperature.set(state.temperature);
    logAxis.set(state.log_axis);
    bars.update(probabilities, { logAxis: state.log_axis, strong: best });
    showEntropy(nats);
    if (drawn !== state.example) {
      choose(state.example);
      if (canvas) drawImage(canvas, images, state.example);
      canvas?.setAttribute("aria-label", `Example ${state.example}`);
      drawn = state.example;
    }
    announce(`T ${twoDigits(state.temperature)}, example ${state.example}: ${names[best]} has `
      + `${formatProbability(probabilities[best])}, entropy ${nats.toFixed(2)} nats`);
  }

  const view = connect(model, ["temperature", "example", "log_axis"], draw);
  draw(view.state);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
