// Where teacher and student look: their attention maps of one image in one layer.

const MAP = 150;
const NAME_LENGTH = 14;

function readLayers(model) {
  const [student, teacher] = ["_student", "_teacher"].map((name) => floats(model.get(name)));
  const [at, examples] = [[0, 0], model.get("_image_shape")[0]];
  return model.get("_layers").map(({ name, channels, height, width }) => {
    const sides = [student, teacher].map((all, side) => {
      const size = channels[side] * height * width;
      const start = at[side];
      at[side] += examples * size;
      return (example) => all.subarray(start + example * size, start + (example + 1) * size);
    });
    return { name, channels, height, width, sides };
  });
}

/** The maps of both networks at one layer, and their distance. */
export function lookAt({ channels, sides }, example, power) {
  const [student, teacher] = sides.map((of, side) => attentionMap(of(example), channels[side], power));
  return { student, teacher, distance: mapDistance(student, teacher) };
}

function mapPanel(parent, title, style) {
  const panel = html("div", { class: "kd-map-panel", "data-map": style }, parent);
  html("div", { class: "kd-heading" }, panel, title);
  const chart = drawing(panel, [MAP, MAP], title);
  svg("rect", { class: "kd-plane", x: 0.5, y: 0.5, width: MAP - 1, height: MAP - 1 }, chart);
  const group = svg("g", { class: `kd-fill-${style}` }, chart);
  let [cells, shape] = [[], ""];
  return (values, height, width, label) => {
    if (shape !== `${height} ${width}`) {
      group.replaceChildren();
      cells = Array.from(values, (_, i) => svg("rect", {
        x: (MAP / width) * (i % width),
        y: (MAP / height) * Math.floor(i / width),
        width: MAP / width,
        height: MAP / height,
      }, group));
      shape = `${height} ${width}`;
    }
    // Each map by its own brightest place: their lengths are 1 anyway.
    const most = Math.max(...values, 1e-12);
    cells.forEach((cell, i) => {
      cell.setAttribute("fill-opacity", (values[i] / most).toFixed(3));
      cell.setAttribute("data-value", values[i]);
    });
    chart.setAttribute("aria-label", label);
  };
}

function distanceBars(parent, names) {
  const [left, length, height] = [16 + 7 * Math.min(NAME_LENGTH, Math.max(...names.map((n) => n.length))), 190, 24];
  const chart = drawing(parent, [left + length + 60, names.length * height], "Distance in each layer");
  svg("line", { class: "kd-grid", x1: left, x2: left, y1: 0, y2: names.length * height }, chart);
  const rows = names.map((name, i) => {
    const group = svg("g", { transform: `translate(0 ${i * height})`, "data-layer": i }, chart);
    nameText({ x: left - 8, y: height / 2, "text-anchor": "end", class: "kd-name" }, group, name, NAME_LENGTH);
    const bar = svg("rect", { x: left, y: 4, height: 16, class: "kd-fill-student" }, group);
    return { group, bar, number: svg("text", { y: height / 2, class: "kd-number" }, group) };
  });
  return (values, chosen) => rows.forEach(({ group, bar, number }, i) => {
    // Two maps of positive numbers and of length 1 are at most 2 apart.
    bar.setAttribute("width", (length * values[i]) / 2);
    number.setAttribute("x", left + (length * values[i]) / 2 + 6);
    setText(number, values[i].toFixed(4));
    group.setAttribute("data-value", values[i]);
    group.classList.toggle("kd-strong", i === chosen);
  });
}

function render({ model, el }) {
  const images = readImages(model);
  const layers = readLayers(model);
  const { root, signal, close } = frame(el, "explore_attention", "Attention of teacher and student");
  const controls = html("div", { class: "kd-controls" }, root);
  const box = html("label", { class: "kd-toggle" }, controls);
  html("span", {}, box, "Layer");
  const select = html("select", { "aria-label": "Layer", ...OWN_KEYS }, box);
  layers.forEach(({ name }, i) => html("option", { value: i }, select, shorten(name, 24)));
  select.addEventListener("change", () => view.set("layer", Number(select.value)), { signal });
  const power = slider(controls, signal, {
    label: "Exponent p", name: "Exponent", min: 0.5, max: 8, step: 0.1,
    format: (value) => `p = ${value.toFixed(1)}`, say: (value) => value.toFixed(1),
    onInput: (value) => view.set("power", value),
  });
  const choose = exampleChooser(root, signal, images.shape.count, images, (i) => view.set("example", i));
  const body = html("div", { class: "kd-body" }, root);
  const shown = html("div", { class: "kd-map-panel" }, body);
  const heading = html("div", { class: "kd-heading" }, shown);
  const canvas = html("canvas", { class: "kd-image kd-large", role: "img" }, shown);
  const showTeacher = mapPanel(body, "Teacher looks here", "teacher");
  const showStudent = mapPanel(body, "Student looks here", "student");
  const last = html("div", { class: "kd-panel" }, root);
  html("div", { class: "kd-heading" }, last, "Squared distance of the maps, 0 to 2");
  const showDistances = distanceBars(last, layers.map(({ name }) => name));
  const announce = announcer(root, signal);
  let drawn = -1;

  function draw(state) {
    const layer = layers[state.layer];
    if (drawn !== state.example) {
      drawImage(canvas, images, state.example);
      canvas.setAttribute("aria-label", `Example ${state.example}`);
      setText(heading, `Example ${state.example}`);
      choose(state.example);
      drawn = state.example;
    }
    const every = layers.map((one) => lookAt(one, state.example, state.power));
    const { student, teacher, distance } = every[state.layer];
    showTeacher(teacher, layer.height, layer.width, `The teacher's map in ${layer.name}`);
    showStudent(student, layer.height, layer.width, `The student's map in ${layer.name}`);
    showDistances(every.map((one) => one.distance), state.layer);
    select.value = state.layer;
    power.set(state.power);
    announce(`${layer.name}, p ${state.power.toFixed(1)}: distance of the maps ${distance.toFixed(3)}`);
  }

  const view = connect(model, ["example", "layer", "power"], draw);
  draw(view.state);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
