// All paths from a teacher to a student, a row each: over which sizes, and what came out.

const [WIDTH, TOP, ROW] = [764, 66, 27];
const [SIZES, GAP] = [70, 50];
const [AXIS, END] = [322, 520];
const [ERRORS, BESIDE] = [638, 758];

/** Where a key takes the chosen row, or undefined. */
export function stepRow(key, index, rows) {
  const last = rows - 1;
  const moves = {
    ArrowUp: index - 1, ArrowLeft: index - 1, ArrowDown: index + 1, ArrowRight: index + 1,
    Home: 0, PageUp: 0, End: last, PageDown: last,
  };
  return key in moves ? Math.min(last, Math.max(0, moves[key])) : undefined;
}

/** A value's place on the axis of errors; what reaches beyond it stays near. */
function errorScale(ticks) {
  const [low, high] = [ticks[0], ticks.at(-1)];
  return (value) => Math.min(END + 12, Math.max(AXIS - 12, AXIS + ((END - AXIS) * (value - low)) / (high - low)));
}

function head(chart, sizes, alone) {
  const soft = (x, y, text, anchor = "start") => svg("text", { class: "kd-tick", x, y, "text-anchor": anchor }, chart, text);
  soft(SIZES - 12, 14, "teacher to student, by size");
  soft(8, 36, "rank");
  soft((AXIS + END) / 2, 36, "test errors", "middle");
  soft(ERRORS, 36, "mean \u00b1 SD", "end");
  soft(BESIDE, 36, "to direct \u00b1 SE", "end");
  sizes.forEach((size, i) => {
    svg("text", { x: SIZES + GAP * i, y: 36, "text-anchor": "middle" }, chart, size.toLocaleString("en"));
    const trained = alone.find((one) => one.size === size);
    if (trained) soft(SIZES + GAP * i, 52, rounded(meanOf(trained.errors)), "middle");
  });
  if (alone.length) soft(AXIS - 12, 52, "\u2190 mean errors with labels only");
}

function axis(chart, ticks, x, bottom) {
  for (const tick of ticks) {
    svg("line", { class: "kd-grid", x1: x(tick), x2: x(tick), y1: TOP, y2: bottom }, chart);
    const place = { class: "kd-tick", x: x(tick), y: bottom + 16, "text-anchor": "middle" };
    svg("text", place, chart, tick.toLocaleString("en"));
  }
}

/** Each seed a small dot, the mean a large one, and a bar of one standard deviation. */
function dots(group, errors, x, style) {
  const [mean, deviation] = [meanOf(errors), deviationOf(errors)];
  if (deviation !== null) {
    svg("line", { class: "kd-spread", x1: x(mean - deviation), x2: x(mean + deviation), y1: 0, y2: 0 }, group);
  }
  for (const value of errors) svg("circle", { class: "kd-seed", cx: x(value), cy: 0, r: 2.5 }, group);
  svg("circle", { class: `kd-fill-${style} kd-mean`, cx: x(mean), cy: 0, r: 5, "data-value": mean }, group);
}

/** The sizes that a path goes over, joined; those that it goes past are hollow. */
function way(group, path, sizes) {
  const at = (size) => SIZES + GAP * sizes.indexOf(size);
  svg("path", { class: "kd-way", d: `M${at(path[0])} 0H${at(path.at(-1))}` }, group);
  sizes.forEach((size, i) => {
    const style = i === 0 ? "teacher" : i === sizes.length - 1 ? "student" : "assistant";
    const over = path.includes(size);
    const shape = { class: over ? `kd-fill-${style}` : "kd-skipped", "data-size": size };
    if (style === "teacher") svg("rect", { ...shape, x: at(size) - 6, y: -6, width: 12, height: 12 }, group);
    else svg("circle", { ...shape, cx: at(size), cy: 0, r: over ? 6.5 : 3 }, group);
  });
}

function pathRow(chart, y, path, sizes, result, x) {
  const key = { "data-path": keyOf(path), role: "radio", tabindex: -1, ...OWN_KEYS };
  const group = svg("g", { class: "kd-path", transform: `translate(0 ${y})`, ...key }, chart);
  svg("rect", { class: "kd-band", x: 1, y: 1 - ROW / 2, width: WIDTH - 2, height: ROW - 2, rx: 4 }, group);
  way(group, path, sizes);
  const text = (at, words, anchor = "end") => svg("text", { x: at, y: 4, "text-anchor": anchor }, group, words);
  if (!result) {
    text(AXIS, "not measured", "start");
    group.setAttribute("aria-label", `${arrowText(path)}: not measured`);
    return group;
  }
  dots(group, result.errors, x, "student");
  text(20, String(result.rank), "middle");
  const errors = withSpread(rounded(result.mean), result.deviation);
  text(ERRORS, errors);
  if (path.length > 2) text(BESIDE, withSpread(signed(result.difference), result.standardError));
  group.setAttribute("data-value", result.mean);
  group.setAttribute("aria-label", `${arrowText(path)}: ${errors} errors, rank ${result.rank}`);
  return group;
}

function aloneRow(chart, y, sizes, alone, x) {
  const trained = alone.find(({ size }) => size === sizes.at(-1));
  if (!trained) return;
  const group = svg("g", { class: "kd-alone", transform: `translate(0 ${y})` }, chart);
  const place = { class: "kd-tick", x: SIZES + GAP * (sizes.length - 1) - 12, y: 4, "text-anchor": "end" };
  svg("text", place, group, "labels only");
  svg("circle", { class: "kd-fill-labels", cx: SIZES + GAP * (sizes.length - 1), cy: 0, r: 6.5 }, group);
  dots(group, trained.errors, x, "labels");
  const errors = withSpread(rounded(meanOf(trained.errors)), deviationOf(trained.errors));
  svg("text", { x: ERRORS, y: 4, "text-anchor": "end" }, group, errors);
}

function pathChart(parent, { paths, compared, sizes, alone }) {
  const student = alone.filter(({ size }) => size === sizes.at(-1));
  const values = [...compared, ...student].flatMap(({ errors }) => errors);
  const ticks = ticksOver(Math.min(...values), Math.max(...values));
  const x = errorScale(ticks);
  const bottom = TOP + ROW * (paths.length + student.length);
  const chart = drawing(parent, [WIDTH, bottom + 24], "Paths, those with fewer errors first", "radiogroup");
  head(chart, sizes, alone);
  axis(chart, ticks, x, bottom);
  const direct = x(compared.find(({ path }) => path.length === 2).mean);
  svg("line", { class: "kd-straight", x1: direct, x2: direct, y1: TOP, y2: bottom }, chart);
  const middle = (i) => TOP + ROW * (i + 0.5);
  const rows = paths.map((path, i) => {
    const result = compared.find((one) => keyOf(one.path) === keyOf(path));
    return pathRow(chart, middle(i), path, sizes, result, x);
  });
  aloneRow(chart, middle(paths.length), sizes, alone, x);
  return { chart, rows, height: bottom + 24 };
}

/** Rows are chosen with a click, by dragging over them, and with keys. */
function choosable({ chart, rows, height }, signal, chosenOf, choose) {
  let dragged = false;
  const under = (event) => {
    const box = chart.getBoundingClientRect();
    return Math.floor((((event.clientY - box.top) / box.height) * height - TOP) / ROW);
  };
  const take = (event) => {
    const i = under(event);
    if (i >= 0 && i < rows.length) choose(i);
  };
  chart.addEventListener("pointerdown", (event) => {
    dragged = under(event) in rows;
    take(event);
    if (!dragged) return;
    event.preventDefault();
    rows[under(event)].focus({ preventScroll: true });
  }, { signal });
  chart.addEventListener("pointermove", (event) => {
    dragged = dragged && event.buttons > 0;
    if (dragged) take(event);
  }, { signal });
  chart.addEventListener("keydown", (event) => {
    const next = stepRow(event.key, chosenOf(), rows.length);
    if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    rows[next].focus({ preventScroll: true });
    choose(next);
  }, { signal });
}

function legend(parent, deviations, alone) {
  const box = html("div", { class: "kd-legend" }, parent);
  const bars = deviations ? "bar: one standard deviation over seeds; small dots: seeds" : "one seed: no spread";
  const words = [bars, "dashed: mean of the direct path", "hollow: passed over"];
  if (alone) words.push("grey: student with labels only");
  words.forEach((text) => html("span", {}, box, text));
}

function render({ model, el }) {
  const [results, alone, examples] = ["_results", "_alone", "_examples"].map((name) => model.get(name));
  const compared = comparePaths(results);
  const sizes = [...new Set(results.flatMap(({ path }) => path))].sort((a, b) => b - a);
  const known = compared.map(({ path }) => keyOf(path));
  const paths = [...compared.map(({ path }) => path), ...everyPath(sizes).filter((path) => !known.includes(keyOf(path)))];
  const { root, signal, close } = frame(el, "explore_paths", "Paths of teacher assistants");
  const controls = html("div", { class: "kd-controls", role: "group", "aria-label": "Assistants" }, root);
  if (sizes.length > 2) html("span", { class: "kd-label" }, controls, "Assistants between teacher and student:");
  const toggles = sizes.slice(1, -1).map((size) => toggle(controls, signal, {
    label: size.toLocaleString("en"), onInput: () => view.set("path", switched(view.state.path, size)),
  }));
  const readout = html("div", { class: "kd-readout", "data-kd": "result" }, root);
  const drawn = pathChart(html("div", { class: "kd-scroll" }, root), { paths, compared, sizes, alone });
  legend(root, results[0].errors.length > 1, alone.some(({ size }) => size === sizes.at(-1)));
  const together = `All ${results.length} paths together train ${networksOf(results.map(({ path }) => path))} networks a seed: `
    + "what they begin with is shared.";
  if (results.length > 1) html("p", { class: "kd-note", "data-kd": "cost" }, root, together);
  const announce = announcer(root, signal);
  const chosenOf = () => paths.findIndex((path) => keyOf(path) === keyOf(view.state.path));

  function draw({ path }) {
    const told = tellPath(path, compared, examples);
    sizes.slice(1, -1).forEach((size, i) => toggles[i].set(path.includes(size)));
    drawn.rows.forEach((group, i) => {
      const on = keyOf(paths[i]) === keyOf(path);
      group.setAttribute("aria-checked", String(on));
      group.setAttribute("tabindex", on ? 0 : -1);
    });
    setText(readout, told);
    announce(told);
  }

  const view = connect(model, ["path"], draw);
  choosable(drawn, signal, chosenOf, (i) => view.set("path", paths[i]));
  draw(view.state);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
