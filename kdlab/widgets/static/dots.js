// Three rows of dots over one axis: a batch, normalized, and scaled; a line follows each number.

const FIELD = { left: 12, width: 396, rows: [74, 154, 224], bands: [28, 40], axis: 244, size: [420, 264] };
// Dots that lie close together are told apart by their height.
const LEVELS = [-13, 0, 13];
const ROW_NAMES = ["batch x", "normalized x\u0302", "output y = \u03b3x\u0302 + \u03b2"];
const TICK_COUNT = 4;

/** The end of an axis around 0 that holds all values. */
export function axisEnd(values) {
  return roomyEnd(1.08 * Math.max(1, ...values.map(Math.abs)));
}

function axis(chart) {
  const { left, width, axis: low } = FIELD;
  svg("line", { class: "kd-grid", x1: left, x2: left + width, y1: low, y2: low }, chart);
  const places = Array.from({ length: TICK_COUNT + 1 }, (_, i) => left + (width * i) / TICK_COUNT);
  places.forEach((x) => svg("line", { class: "kd-grid", x1: x, x2: x, y1: 22, y2: low + 3 }, chart));
  const anchor = (i) => ["start", "middle", "end"][i === 0 ? 0 : i === TICK_COUNT ? 2 : 1];
  const texts = places.map((x, i) => svg("text", { class: "kd-tick", x: x + [-8, 0, 8][["start", "middle", "end"].indexOf(anchor(i))], y: low + 17, "text-anchor": anchor(i) }, chart));
  return (end) => texts.forEach((node, i) => {
    setText(node, String(((2 * i) / TICK_COUNT - 1) * end).replace("-", "\u2212"));
  });
}

/** A mean with a band of one standard deviation to both sides. */
function band(chart, style, y) {
  const group = svg("g", { class: `kd-band kd-band-${style}`, "data-band": style }, chart);
  const bar = svg("rect", { y: y - 3, height: 6, rx: 2 }, group);
  const tick = svg("line", { y1: y - 6, y2: y + 6 }, group);
  return (at, mean, variance, used) => {
    const [from, middle, to] = [-1, 0, 1].map((side) => at(mean + side * Math.sqrt(variance)));
    bar.setAttribute("x", from);
    bar.setAttribute("width", to - from);
    tick.setAttribute("x1", middle);
    tick.setAttribute("x2", middle);
    group.classList.toggle("kd-used", used);
    group.setAttribute("data-value", JSON.stringify([mean, variance]));
  };
}

/** The drawing; `show` moves what is there, `toNumber` undoes the axis. */
export function dotRows(parent, count) {
  const { left, width, rows, size } = FIELD;
  const chart = drawing(parent, size, "The batch before, normalized, and after", "group");
  const scale = axis(chart);
  rows.forEach((y, k) => svg("text", { class: "kd-name", x: left - 8, y: k ? y - 24 : 10 }, chart, ROW_NAMES[k]));
  // What is farther out than the axis, while a number is held, is cut off by a drawing of its own.
  const inside = svg("svg", { x: 0, y: 0, width: size[0], height: size[1], viewBox: `0 0 ${size.join(" ")}` }, chart);
  const bands = { batch: band(inside, "batch", FIELD.bands[0]), running: band(inside, "running", FIELD.bands[1]) };
  const ways = Array.from({ length: count }, () => svg("path", { class: "kd-way" }, inside));
  const drawn = rows.map((y, k) => Array.from({ length: count }, (_, i) => {
    const group = svg("g", { [["data-number", "data-normalized", "data-output"][k]]: i }, k ? inside : chart);
    svg("circle", { r: 11, class: "kd-ring" }, group);
    svg("circle", { r: k ? 6 : 8, class: `kd-fill-${["labels", "control", "student"][k]}` }, group);
    if (!k) svg("text", { class: "kd-on-dot", "text-anchor": "middle", dy: 3.5 }, group, String(i + 1));
    return group;
  }));
  let end = 1;
  const height = (k, i) => rows[k] + (k ? 0 : LEVELS[i % LEVELS.length]);
  const at = (x) => left + (width * (1 + x / end)) / 2;
  const toNumber = ([x]) => ((2 * (x - left)) / width - 1) * end;
  function show(batch, parts, running, training, newEnd) {
    end = newEnd;
    scale(end);
    bands.batch(at, parts.own.mean, parts.own.variance, training);
    bands.running(at, running.mean, running.variance, !training);
    const values = [batch, parts.normalized, parts.outputs];
    ways.forEach((way, i) => {
      const there = values.filter((row) => i < row.length);
      way.setAttribute("d", there.map((row, k) => `${k ? "L" : "M"}${at(row[i]).toFixed(2)} ${height(k, i)}`).join(""));
    });
    drawn.forEach((groups, k) => groups.forEach((group, i) => {
      const on = i < values[k].length;
      group.style.display = on ? "" : "none";
      if (!on) return;
      group.setAttribute("transform", `translate(${at(values[k][i]).toFixed(2)} ${height(k, i)})`);
      group.setAttribute("data-value", values[k][i]);
    }));
  }
  return { chart, numbers: drawn[0], show, toNumber };
}
