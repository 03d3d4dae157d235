// The triangle of three probabilities: a heat map on a canvas, points and marks above it.

const LEFT = 20;
const TOP = 34;
const EDGE = 260;
const WIDE = EDGE + 2 * LEFT;
const HIGH = 286;
// The first class on top, the second to the left, the third to the right.
const CORNERS = [[LEFT + EDGE / 2, TOP], [LEFT, TOP + EDGE * Math.sqrt(0.75)], [LEFT + EDGE, TOP + EDGE * Math.sqrt(0.75)]];
// Marks must stand out from the deepest colour.
const DEEPEST = 0.8;
const SHAPES = {
  mean: "M-7 0H7M0 -7V7",
  mode: "M-6 -6L6 6M-6 6L6 -6",
  best: "M0 -8L8 0L0 8L-8 0Z",
};

/** Where three shares lie in the drawing. */
export function placeOfShares(shares) {
  return [0, 1].map((axis) => shares.reduce((sum, share, k) => sum + share * CORNERS[k][axis], 0));
}

/** The shares of a place, of sum 1; negative beyond an edge. */
export function sharesOfPlace([x, y]) {
  const first = (CORNERS[1][1] - y) / (CORNERS[1][1] - CORNERS[0][1]);
  const third = (x - CORNERS[1][0] - first * (EDGE / 2)) / EDGE;
  return [first, 1 - first - third, third];
}

/** Shares after a key: up and down for the first class, left and right between the others. */
export function stepShares([a, b, c], [x, y], unit) {
  return [a + y * unit, b - (y * unit) / 2 - x * unit, c - (y * unit) / 2 + x * unit];
}

// Each pixel inside, with its shares, once for all views.
let pixels = null;

function insidePixels() {
  pixels ??= Array.from({ length: WIDE * HIGH }, (_, i) => i).flatMap((i) => {
    const shares = sharesOfPlace([(i % WIDE) + 0.5, Math.floor(i / WIDE) + 0.5]);
    return shares.every((share) => share > 0) ? [{ i, shares, logs: shares.map(Math.log) }] : [];
  });
  return pixels;
}

function heatMap(canvas, colour) {
  Object.assign(canvas, { width: WIDE, height: HIGH });
  const context = canvas.getContext("2d");
  const data = context.createImageData(WIDE, HIGH);
  return (depth) => {
    for (const { i, shares, logs } of insidePixels()) {
      data.data.set(colour, 4 * i);
      data.data[4 * i + 3] = 255 * DEEPEST * depth(shares, logs);
    }
    context.putImageData(data, 0, 0);
  };
}

function cornerNames(chart, names) {
  const anchors = ["middle", "start", "end"];
  const places = [[CORNERS[0][0], 12], [2, HIGH - 6], [WIDE - 2, HIGH - 6]];
  names.forEach((name, k) => {
    const [x, y] = places[k];
    nameText({ x, y, "text-anchor": anchors[k], class: "kd-name" }, chart, name, 18);
  });
}

/** A point with a letter: the student's a circle, the teacher's a square. */
function letterPoint(chart, style, letter) {
  const group = svg("g", { "data-point": letter }, chart);
  svg("circle", { r: 13, class: "kd-ring" }, group);
  if (style === "student") svg("circle", { r: 9, class: "kd-dot kd-fill-student" }, group);
  else svg("rect", { x: -8.5, y: -8.5, width: 17, height: 17, class: "kd-dot kd-fill-teacher" }, group);
  svg("text", { class: "kd-on-dot", "text-anchor": "middle", y: 4 }, group, letter);
  return group;
}

/** One triangle; `show` colours it and moves marks and points that are there. */
export function triangle(parent, names, { label, colour, marks }) {
  const box = html("div", { class: "kd-ternary" }, parent);
  const paint = heatMap(html("canvas", { "aria-hidden": "true" }, box), colour);
  const chart = drawing(box, [WIDE, HIGH], label, "group");
  svg("path", { class: "kd-edge", d: `M${CORNERS.map((corner) => corner.join(" ")).join("L")}Z` }, chart);
  cornerNames(chart, names);
  const points = [letterPoint(chart, "teacher", "s"), letterPoint(chart, "student", "g")];
  const shapes = Object.fromEntries(marks.map((mark) => {
    const group = svg("g", { class: `kd-mark kd-mark-${mark}`, "data-mark": mark }, chart);
    for (const side of ["kd-halo", "kd-shape"]) svg("path", { class: side, d: SHAPES[mark] }, group);
    return [mark, group];
  }));
  function show(depth, [s, g], places) {
    paint(depth);
    const move = (group, shares) => {
      group.style.display = shares ? "" : "none";
      if (!shares) return;
      group.setAttribute("transform", `translate(${placeOfShares(shares).map((x) => x.toFixed(2)).join(" ")})`);
      group.setAttribute("data-value", JSON.stringify(shares));
    };
    move(points[0], s);
    move(points[1], g);
    for (const mark of marks) move(shapes[mark], places[mark]);
  }
  return { chart, points, show };
}
