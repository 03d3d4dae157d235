// Two clouds in a plane, bars of their distances, and mean embeddings unit by unit.

const CLOUD = { side: 320, size: [320, 338] };
const KINDS = { linear: "linear", relu: "ReLU" };
const CLOUD_BAR = { left: 92, width: 160, thick: 7, gap: 22, size: 320 };
const MEANS = { left: 34, width: 280, high: 74, gap: 30 };
const MARK = 5.5;

/** Half the side of a square plane around 0 that holds the points. */
export function cloudEnd(...clouds) {
  return roomyEnd(1.08 * Math.max(1, ...clouds.flat(2).map(Math.abs)));
}

/** A real point is round, a synthetic one square; the second class is hollow. */
function pointMark(parent, side, attributes) {
  if (side === "real") return svg("circle", { r: MARK, class: "kd-point kd-real", ...attributes }, parent);
  const place = { x: -MARK, y: -MARK, width: 2 * MARK, height: 2 * MARK };
  return svg("rect", { ...place, class: "kd-point kd-synthetic", ...attributes }, parent);
}

function handle(chart, name, shape) {
  const group = svg("g", { "data-handle": name, class: "kd-handle" }, chart);
  svg("circle", { r: 15, class: "kd-ring" }, group);
  svg("circle", { r: 12, class: "kd-grip" }, group);
  for (const layer of ["kd-halo", "kd-shape"]) svg("path", { d: shape, class: layer }, group);
  return group;
}

/** The plane with both clouds, their means, and the handles of the synthetic one. */
export function cloudPlane(parent, realCount, ownCount, units) {
  const { side, size } = CLOUD;
  const chart = drawing(parent, size, "Real and synthetic points", "group");
  svg("rect", { class: "kd-plane", x: 0.5, y: 0.5, width: side - 1, height: side - 1 }, chart);
  const inside = svg("svg", { x: 0, y: 0, width: side, height: side, viewBox: `0 0 ${side} ${side}` }, chart);
  svg("path", { class: "kd-grid", d: `M${side / 2} 0V${side}M0 ${side / 2}H${side}` }, inside);
  const kinks = Array.from({ length: units }, () => svg("path", { class: "kd-kink" }, inside));
  const ends = [0, side].map((x, i) => svg("text", { class: "kd-tick", x, y: side + 14, "text-anchor": i ? "end" : "start" }, chart));
  const marks = { real: realCount, synthetic: ownCount };
  const points = Object.fromEntries(Object.entries(marks).map(([name, count]) => [
    name, Array.from({ length: count }, (_, i) => pointMark(inside, name, { [`data-${name}`]: i })),
  ]));
  const realMean = svg("g", { class: "kd-mean kd-mean-real", "data-mean": "real" }, inside);
  for (const layer of ["kd-halo", "kd-shape"]) svg("path", { d: "M-8 -8L8 8M-8 8L8 -8", class: layer }, realMean);
  const arm = svg("path", { class: "kd-arm" }, inside);
  const handles = [handle(chart, "move", "M-9 0H9M0 -9V9"), handle(chart, "stretch", "M0 -7L7 0L0 7L-7 0Z")];
  let end = 1;
  const at = ([x, y]) => [(side * (1 + x / end)) / 2, (side * (1 - y / end)) / 2];
  const toData = ([x, y]) => [((2 * x) / side - 1) * end, (1 - (2 * y) / side) * end];
  const move = (node, place) => node.setAttribute("transform", `translate(${at(place).map((x) => x.toFixed(2)).join(" ")})`);
  /** The line on which a unit is 0: there a ReLU has its kink. */
  function kink([w, v, bias]) {
    const length = Math.hypot(w, v);
    const foot = [(-w * bias) / length ** 2, (-v * bias) / length ** 2];
    const far = [(-v * 3 * end) / length, (w * 3 * end) / length];
    const [a, b] = [1, -1].map((way) => at([foot[0] + way * far[0], foot[1] + way * far[1]]));
    return `M${a.map((x) => x.toFixed(1)).join(" ")}L${b.map((x) => x.toFixed(1)).join(" ")}`;
  }
  function show(clouds, network, grip, newEnd) {
    end = newEnd;
    [-end, end].forEach((value, i) => setText(ends[i], String(value).replace("-", "\u2212")));
    for (const [name, { rows, classes }] of Object.entries(clouds)) {
      points[name].forEach((node, i) => {
        move(node, rows[i]);
        node.classList.toggle("kd-hollow", classes[i] === 1);
        node.setAttribute("data-value", JSON.stringify(rows[i]));
      });
    }
    kinks.forEach((node, u) => node.setAttribute("d", kink(network[u])));
    move(realMean, grip.realMean);
    move(handles[0], grip.mean);
    move(handles[1], grip.tip);
    arm.setAttribute("d", `M${at(grip.mean).join(" ")}L${at(grip.tip).join(" ")}`);
  }
  return { chart, handles, show, toData };
}

/** Bars of the distance under each network, by features, over all points and class by class. */
export function distanceBars(parent, networks) {
  const { left, width, thick, gap, size } = CLOUD_BAR;
  const block = networks * thick + gap;
  const high = 4 * block + 14;
  const chart = drawing(parent, [size, high], "Squared distance of mean embeddings, a bar a network");
  svg("line", { class: "kd-grid", x1: left, x2: left, y1: 12, y2: high - 16 }, chart);
  const limits = [svg("text", { class: "kd-tick", x: left, y: high - 3, "text-anchor": "middle" }, chart, "0")];
  limits.push(svg("text", { class: "kd-tick", x: left + width, y: high - 3, "text-anchor": "middle" }, chart));
  const blocks = Object.keys(KINDS).flatMap((kind) => ["distances", "classDistances"].map((part) => [kind, part]));
  const rows = blocks.map(([kind, part], k) => {
    const y = 14 + k * block;
    const group = svg("g", { "data-bars": `${kind} ${part}` }, chart);
    svg("text", { class: "kd-name", x: left - 8, y: y + (networks * thick) / 2 - 7, "text-anchor": "end" }, group, KINDS[kind]);
    svg("text", { class: "kd-name kd-tick", x: left - 8, y: y + (networks * thick) / 2 + 7, "text-anchor": "end" }, group, part === "distances" ? "all points" : "by class");
    const bars = Array.from({ length: networks }, (_, n) => svg("rect", { class: `kd-fill-${kind === "linear" ? "labels" : "control"}`, x: left, y: y + n * thick, height: thick - 1 }, group));
    const number = svg("text", { class: "kd-number", x: left + width + 8, y: y + (networks * thick) / 2 }, group);
    return { kind, part, bars, number };
  });
  return (parts) => {
    const all = rows.flatMap(({ kind, part }) => parts[kind][part]);
    const end = roomyEnd(Math.max(1e-3, ...all));
    setText(limits[1], String(end));
    for (const { kind, part, bars, number } of rows) {
      parts[kind][part].forEach((value, n) => {
        bars[n].setAttribute("width", (width * value) / end);
        bars[n].setAttribute("data-value", value);
      });
      setText(number, cleanNumber(parts[kind][part].reduce((a, b) => a + b) / networks));
    }
  };
}

/** Mean embeddings of the first network, unit by unit: real ones round, synthetic ones square. */
export function meanEmbeddings(parent, units) {
  const { left, width, high, gap } = MEANS;
  const chart = drawing(parent, [CLOUD_BAR.size, 2 * (high + gap)], "Mean embeddings of the first network, unit by unit");
  const x = (u) => left + (width * (u + 0.5)) / units;
  const rows = Object.keys(KINDS).map((kind, k) => {
    const top = 18 + k * (high + gap);
    svg("rect", { class: "kd-plane", x: left, y: top, width, height: high }, chart);
    const zero = svg("line", { class: "kd-grid", x1: left, x2: left + width }, chart);
    svg("text", { class: "kd-name", x: left, y: top - 8 }, chart, `${KINDS[kind]}, unit by unit`);
    const limits = [top + 9, top + high].map((y) => svg("text", { class: "kd-tick", x: left - 4, y, "text-anchor": "end" }, chart));
    const marks = Array.from({ length: units }, (_, u) => {
      const group = svg("g", { "data-unit": `${kind} ${u}` }, chart);
      const stem = svg("line", { class: "kd-stem", x1: x(u), x2: x(u) }, group);
      return { group, stem, real: pointMark(group, "real", {}), synthetic: pointMark(group, "synthetic", { class: "kd-point kd-synthetic kd-outline" }) };
    });
    return { kind, top, zero, limits, marks };
  });
  return (parts) => {
    const values = Object.keys(KINDS).map((kind) => parts[kind].means[0]);
    const end = roomyEnd(1.1 * Math.max(1e-3, ...values.flat(2).map(Math.abs)));
    rows.forEach(({ kind, top, zero, limits, marks }, k) => {
      // ReLU features are never negative.
      const at = kind === "relu" ? (value) => top + high * (1 - value / end) : (value) => top + (high * (1 - value / end)) / 2;
      zero.setAttribute("y1", at(0));
      zero.setAttribute("y2", at(0));
      setText(limits[0], String(end));
      setText(limits[1], kind === "relu" ? "0" : `\u2212${end}`);
      marks.forEach(({ group, stem, real, synthetic }, u) => {
        const [a, b] = values[k].map((row) => row[u]);
        real.setAttribute("transform", `translate(${x(u)} ${at(a)})`);
        synthetic.setAttribute("transform", `translate(${x(u)} ${at(b)})`);
        stem.setAttribute("y1", at(a));
        stem.setAttribute("y2", at(b));
        group.setAttribute("data-value", JSON.stringify([a, b]));
      });
    });
  };
}
