// The drawing of a line fitted to labels and a teacher's answers, and of the weights.

const PLOT = { left: 34, top: 8, width: 396, height: 280 };
const LINE_STYLES = { truth: "true line", without: "without teacher", with: "with teacher", slide: "slide's weights" };
const SHARE_BAR = { left: 26, width: 150, row: 21, top: 20 };

/** Half the width and half the height of a plane around 0 that holds points and answers. */
export function lineEnds(points, teacher) {
  const most = (values) => roomyEnd(1.12 * Math.max(1e-3, ...values.map(Math.abs)));
  return [most(points.map(([x]) => x)), most([...points.map(([, y]) => y), ...teacher])];
}

function axes(chart) {
  const { left, top, width, height } = PLOT;
  svg("rect", { class: "kd-plane", x: left, y: top, width, height }, chart);
  svg("line", { class: "kd-grid", x1: left + width / 2, x2: left + width / 2, y1: top, y2: top + height }, chart);
  svg("line", { class: "kd-grid", y1: top + height / 2, y2: top + height / 2, x1: left, x2: left + width }, chart);
  const text = (x, y, anchor) => svg("text", { class: "kd-tick", x, y, "text-anchor": anchor }, chart);
  const across = [text(left, top + height + 14, "start"), text(left + width / 2, top + height + 14, "middle"), text(left + width, top + height + 14, "end")];
  const up = [text(left - 4, top + height, "end"), text(left - 4, top + height / 2 + 4, "end"), text(left - 4, top + 10, "end")];
  return (ends) => [across, up].forEach((texts, k) => texts.forEach((node, i) => {
    setText(node, `${k === 0 && i === 2 ? "x = " : ""}${String((i - 1) * ends[k]).replace("-", "\u2212")}`);
  }));
}

function exampleShapes(chart, i) {
  const stem = svg("line", { class: "kd-stem" }, chart);
  const point = svg("g", { "data-point": i }, chart);
  svg("circle", { r: 12, class: "kd-ring" }, point);
  svg("circle", { r: 8, class: "kd-label-dot" }, point);
  svg("text", { class: "kd-on-dot", "text-anchor": "middle", dy: 3.5 }, point, String(i + 1));
  const answer = svg("g", { "data-answer": i }, chart);
  svg("circle", { r: 10, class: "kd-ring" }, answer);
  svg("rect", { class: "kd-answer", x: -5.5, y: -5.5, width: 11, height: 11 }, answer);
  const pseudo = ["with", "slide"].map((name) => svg("path", { class: `kd-pseudo kd-line-${name}` }, chart));
  return { stem, point, answer, pseudo };
}

const DIAMOND = (r) => `M0 ${-r}L${r} 0L0 ${r}L${-r} 0Z`;

/** Plane with points, answers, pseudo-responses and lines; `toData` undoes its scale. */
export function linePlane(parent, count) {
  const { left, top, width, height } = PLOT;
  const chart = drawing(parent, [440, 306], "Labels, teacher's answers and lines", "group");
  const scale = axes(chart);
  // A drawing of its own inside: what leaves it is cut off.
  const inside = svg("svg", { x: left, y: top, width, height, viewBox: `0 0 ${width} ${height}` }, chart);
  const lines = Object.fromEntries(Object.keys(LINE_STYLES).map((name) => [
    name, svg("line", { class: `kd-fit kd-line-${name}`, "data-line": name, x1: 0, x2: width }, inside),
  ]));
  const examples = Array.from({ length: count }, (_, i) => exampleShapes(chart, i));
  let ends = [1, 1];
  const at = ([x, y]) => [left + (width * (1 + x / ends[0])) / 2, top + (height * (1 - y / ends[1])) / 2];
  const toData = ([x, y]) => [((2 * (x - left)) / width - 1) * ends[0], (1 - (2 * (y - top)) / height) * ends[1]];
  const move = (node, place) => node.setAttribute("transform", `translate(${place.map((x) => x.toFixed(2)).join(" ")})`);
  function show({ points, teacher, known }, fits, truth, slide, newEnds) {
    ends = newEnds;
    scale(ends);
    const shown = { truth, without: fits.without.line, with: fits.with.line, slide: slide ? fits.slide.line : null };
    for (const [name, line] of Object.entries(shown)) {
      lines[name].style.display = line ? "" : "none";
      if (!line) continue;
      [1, 2].forEach((side) => lines[name].setAttribute(`y${side}`, at([0, line[0] + (2 * side - 3) * line[1] * ends[0]])[1] - top));
      lines[name].setAttribute("data-value", JSON.stringify(line));
    }
    examples.forEach((shapes, i) => {
      const [place, answer] = [at(points[i]), at([points[i][0], teacher[i]])];
      move(shapes.point, place);
      move(shapes.answer, answer);
      shapes.point.classList.toggle("kd-known", known[i]);
      shapes.answer.classList.toggle("kd-known", known[i]);
      Object.entries({ x1: place[0], y1: place[1], x2: answer[0], y2: answer[1] }).forEach(([name, value]) => shapes.stem.setAttribute(name, value));
      shapes.stem.style.display = known[i] ? "" : "none";
      ["with", "slide"].forEach((name, k) => {
        const drawn = known[i] && (name === "with" || slide);
        shapes.pseudo[k].style.display = drawn ? "" : "none";
        const share = fits[name].weights[i] / Math.max(...fits[name].weights);
        shapes.pseudo[k].setAttribute("d", DIAMOND(4 + 8 * Math.sqrt(share)));
        move(shapes.pseudo[k], at([points[i][0], fits[name].responses[i]]));
      });
    });
  }
  return { chart, examples, show, toData, ends: () => ends };
}

/** What the lines and signs of the drawing are. */
export function lineLegend(parent) {
  const box = html("div", { class: "kd-legend" }, parent);
  const keys = Object.entries(LINE_STYLES).map(([name, text]) => {
    const key = html("span", {}, box);
    const sample = svg("svg", { class: "kd-sample", width: 28, height: 10, "aria-hidden": "true" }, key);
    svg("line", { class: `kd-fit kd-line-${name}`, x1: 0, x2: 28, y1: 5, y2: 5 }, sample);
    key.append(text);
    return [name, key];
  });
  return Object.fromEntries(keys);
}

/** A row an example: its share of all weight, label's part and teacher's, and y''. */
export function weightRows(parent, count) {
  const { left, width, row, top } = SHARE_BAR;
  const chart = drawing(parent, [316, top + count * row + 20], "Share of the weight and pseudo-response of each example");
  const head = (x, text, anchor) => svg("text", { class: "kd-tick", x, y: 12, "text-anchor": anchor }, chart, text);
  head(left, "share of all weight", "start");
  head(246, "y\u2033", "end");
  const other = head(310, "slide's y\u2033", "end");
  svg("line", { class: "kd-grid", x1: left, x2: left, y1: top, y2: top + count * row }, chart);
  const end = svg("text", { class: "kd-tick", x: left + width, y: top + count * row + 14, "text-anchor": "middle" }, chart);
  svg("text", { class: "kd-tick", x: left, y: top + count * row + 14, "text-anchor": "middle" }, chart, "0");
  const rows = Array.from({ length: count }, (_, i) => {
    const group = svg("g", { transform: `translate(0 ${top + i * row})`, class: "kd-weight-row", "data-example": i }, chart);
    svg("rect", { class: "kd-band", x: 0, y: 0, width: 316, height: row }, group);
    svg("text", { x: left - 6, y: 14, "text-anchor": "end" }, group, String(i + 1));
    const bar = (style, y, high) => svg("rect", { class: `kd-fill-${style}`, y, height: high }, group);
    const number = (x) => svg("text", { x, y: 14, "text-anchor": "end" }, group);
    return { group, label: bar("labels", 4, 12), taught: bar("teacher", 4, 12), slide: bar("control", 16, 4), numbers: [number(246), number(310)] };
  });
  function show(fits, slide) {
    const shares = (name) => {
      const all = fits[name].weights.reduce((a, b) => a + b, 0);
      return fits[name].weights.map((weight) => weight / all);
    };
    const [right, wrong] = [shares("with"), shares("slide")];
    const most = roomyEnd(Math.max(...right, ...(slide ? wrong : [])));
    setText(end, `${Number((100 * most).toPrecision(3))} %`);
    other.style.display = slide ? "" : "none";
    rows.forEach((made, i) => {
      const lengths = ["label", "taught"].map((part) => (width * right[i] * fits.with[part][i]) / fits.with.weights[i] / most);
      made.label.setAttribute("x", left);
      made.label.setAttribute("width", lengths[0]);
      made.taught.setAttribute("x", left + lengths[0]);
      made.taught.setAttribute("width", lengths[1]);
      made.slide.setAttribute("x", left);
      made.slide.setAttribute("width", slide ? (width * wrong[i]) / most : 0);
      setText(made.numbers[0], fits.with.responses[i].toFixed(2).replace("-", "\u2212"));
      setText(made.numbers[1], slide ? fits.slide.responses[i].toFixed(2).replace("-", "\u2212") : "");
      made.group.setAttribute("data-value", right[i]);
    });
  }
  return { rows, show };
}
