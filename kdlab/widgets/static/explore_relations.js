// A few points in a plane: the student's, to be dragged, against the teacher's, which stay.

const SIDE = 300;
const LIMIT = 100;
const LOSSES = ["distance", "angle", "both"];

/** Which losses count, and how much: the paper's weights where both do. */
export function relationLoss(student, teacher, which) {
  const [distance, angle] = [distanceLoss(student, teacher), angleLoss(student, teacher)];
  const weights = { distance: [1, 0], angle: [0, 1], both: [1, 2] }[which];
  const gradient = student.map((_, i) => [0, 1].map(
    (k) => weights[0] * distance.gradient[i][k] + weights[1] * angle.gradient[i][k],
  ));
  return { distance: distance.value, angle: angle.value, gradient };
}

/** The points after one step downhill, shortened until the loss does not rise. */
export function downhill(student, teacher, which) {
  const { gradient } = relationLoss(student, teacher, which);
  const total = (points) => {
    const { distance, angle } = relationLoss(points, teacher, which);
    return { distance, angle, both: distance + 2 * angle }[which];
  };
  const now = total(student);
  for (let rate = 4; rate > 1e-6; rate /= 2) {
    const moved = student.map((point, i) => [0, 1].map((k) => point[k] - rate * gradient[i][k]));
    if (total(moved) < now) return moved;
  }
  return student;
}

/** Half the side of a square plane that holds the points. */
export function planeEnd(...sets) {
  const most = Math.max(...sets.flat(2).map(Math.abs), 1e-6);
  return niceEnd(most * 1.2);
}

function plane(parent, label, count, style, role) {
  const chart = drawing(parent, [SIDE, SIDE + 16], label, role);
  svg("rect", { class: "kd-plane", x: 0.5, y: 0.5, width: SIDE - 1, height: SIDE - 1 }, chart);
  svg("line", { class: "kd-grid", x1: SIDE / 2, x2: SIDE / 2, y1: 0, y2: SIDE }, chart);
  svg("line", { class: "kd-grid", y1: SIDE / 2, y2: SIDE / 2, x1: 0, x2: SIDE }, chart);
  const ends = [0, SIDE].map((x, i) => svg("text", { class: "kd-tick", x, y: SIDE + 13, "text-anchor": i ? "end" : "start" }, chart));
  const sides = svg("path", { class: `kd-sides kd-line-${style}`, fill: "none" }, chart);
  const dots = Array.from({ length: count }, (_, i) => {
    const group = svg("g", { "data-point": i }, chart);
    const arrow = svg("path", { class: "kd-arrow" }, group);
    const ring = svg("circle", { r: 11, class: "kd-ring" }, group);
    const dot = svg("circle", { r: 8, class: `kd-fill-${style}` }, group);
    const name = svg("text", { class: "kd-on-dot", "text-anchor": "middle", dy: 3.5 }, group, String(i + 1));
    return { group, arrow, ring, dot, name };
  });
  function show(points, end, arrows) {
    const at = ([x, y]) => [SIDE * (0.5 + x / (2 * end)), SIDE * (0.5 - y / (2 * end))];
    setText(ends[0], String(-end));
    setText(ends[1], String(end));
    const path = points.flatMap((a, i) => points.slice(i + 1).map((b) => `M${at(a).join(" ")}L${at(b).join(" ")}`));
    sides.setAttribute("d", path.join(""));
    dots.forEach(({ group, arrow, ring, dot, name }, i) => {
      const [x, y] = at(points[i]);
      for (const circle of [ring, dot]) {
        circle.setAttribute("cx", x);
        circle.setAttribute("cy", y);
      }
      name.setAttribute("x", x);
      name.setAttribute("y", y);
      group.setAttribute("data-value", JSON.stringify(points[i]));
      arrow.setAttribute("d", arrows ? arrowPath([x, y], arrows[i]) : "");
    });
  }
  return { chart, dots, show };
}

function arrowPath([x, y], [dx, dy]) {
  const length = Math.hypot(dx, dy);
  if (length < 1) return "";
  const [ux, uy] = [dx / length, dy / length];
  const [tx, ty] = [x + dx, y + dy];
  const head = (side) => `M${tx} ${ty}L${tx - 7 * ux + side * 4 * uy} ${ty - 7 * uy - side * 4 * ux}`;
  return `M${x} ${y}L${tx} ${ty}${head(1)}${head(-1)}`;
}

function render({ model, el }) {
  const teacher = model.get("_teacher");
  const start = model.get("student");
  const { root, signal, close } = frame(el, "explore_relations", "Relations between examples");
  const controls = html("div", { class: "kd-controls" }, root);
  const box = html("label", { class: "kd-toggle" }, controls);
  html("span", {}, box, "Loss");
  const select = html("select", { "aria-label": "Loss", ...OWN_KEYS }, box);
  ["distances", "angles", "both, angles twice"].forEach((text, i) => html("option", { value: LOSSES[i] }, select, text));
  select.addEventListener("change", () => view.set("loss", select.value), { signal });
  const place = (points) => view.set("student", points.map((point) => point.map((x) => within(x, LIMIT))));
  const change = (how) => () => place(transformed(view.state.student, how));
  commands(controls, signal, "Move all points", [
    ["Rotate", change({ turn: Math.PI / 6 })],
    ["Enlarge", change({ scale: 1.25 })],
    ["Shrink", change({ scale: 0.8 })],
    ["Shift", change({ shift: [0.25, 0.25] })],
    ["Step downhill", () => place(downhill(view.state.student, teacher, view.state.loss))],
    ["Reset", () => place(start)],
  ]);
  const readout = html("div", { class: "kd-readout", "data-kd": "losses" }, root);
  const body = html("div", { class: "kd-body" }, root);
  const panel = (text) => {
    const made = html("div", { class: "kd-plane-panel" }, body);
    html("div", { class: "kd-heading" }, made, text);
    return made;
  };
  const fixed = plane(panel("Teacher: stays"), "The teacher's points", teacher.length, "teacher", "img");
  const free = plane(panel("Student: drag, or Tab and arrow keys"), "The student's points", teacher.length, "student", "group");
  html("div", { class: "kd-note" }, root, "Arrows point downhill: minus the gradient, the longest of fixed length.");
  const announce = announcer(root, signal);
  let end = planeEnd(start);

  function draw(state) {
    const parts = relationLoss(state.student, teacher, state.loss);
    // The plane stays while points move in it, and gives way when one is let go outside.
    const least = planeEnd(state.student);
    if (!held() && (least > end || least < end / 4)) end = least;
    const longest = Math.max(...parts.gradient.map((g) => Math.hypot(...g)));
    const unit = longest > 1e-9 ? 40 / longest : 0;
    fixed.show(teacher, planeEnd(teacher));
    free.show(state.student, end, parts.gradient.map(([x, y]) => [-x * unit, y * unit]));
    free.dots.forEach(({ group }, i) => {
      const [x, y] = state.student[i].map((value) => value.toFixed(2));
      group.setAttribute("aria-valuetext", `${x}, ${y}`);
      group.setAttribute("aria-valuenow", x);
    });
    select.value = state.loss;
    const told = `distances ${parts.distance.toFixed(5)}, angles ${parts.angle.toFixed(5)}`;
    setText(readout, `Loss on ${told}`);
    readout.setAttribute("data-value", JSON.stringify([parts.distance, parts.angle, parts.gradient]));
    announce(`Loss on ${told}`);
  }

  const view = connect(model, ["student", "loss"], draw);
  const groups = free.dots.map(({ group }) => group);
  const held = holding(groups, signal, () => view.redraw());
  const moveTo = (i, point) => place(view.state.student.map((old, j) => (i === j ? point : old)));
  movable(free.chart, groups, signal, {
    name: (i) => `Student's point ${i + 1}`,
    step: (i, way) => moveTo(i, view.state.student[i].map((x, k) => x + (end / 50) * way[k])),
    place: (i, [x, y]) => moveTo(i, [2 * x / SIDE - 1, 1 - 2 * y / SIDE].map((part) => within(part * end, end))),
  });
  draw(view.state);
  return () => {
    view.stop();
    close();
  };
}

export default { render };
