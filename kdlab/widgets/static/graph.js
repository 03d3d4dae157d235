// Learners as the nodes of a graph; an arrow from each to whoever hears it, as wide as its weight.

const [ACROSS, RADIUS] = [300, 88];
const FINEST = 1e6;
const [DISC, BEND, WIDEST] = [20, 30, 12];

/** Where the nodes lie: two side by side, more on a circle; and how high the drawing is. */
export function nodePlaces(count) {
  const height = count === 2 ? 120 : 250;
  const start = count === 2 ? Math.PI : -Math.PI / 2 - (count === 4 ? Math.PI / 4 : 0);
  const places = Array.from({ length: count }, (_, i) => {
    const angle = start + (2 * Math.PI * i) / count;
    return [ACROSS / 2 + RADIUS * Math.cos(angle), height / 2 + RADIUS * Math.sin(angle)];
  });
  return { places, height };
}

/** Set one weight of a row; where the sum would pass 1, the others shrink in proportion. */
export function giveWay(row, index, value) {
  const others = row.reduce((sum, weight, i) => (i === index ? sum : sum + weight), 0);
  if (others + value <= 1) return row.map((weight, i) => (i === index ? value : weight));
  const scale = (1 - value) / others;
  // Rounded down: never more than 1 together, and short to send.
  return row.map((weight, i) => (i === index ? value : Math.floor(weight * scale * FINEST) / FINEST));
}

/** Where a key takes the chosen cell of a table without diagonal, as [row, column], or undefined. */
export function stepWeight(key, [k, j], rows, columns) {
  const ways = {
    ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
  };
  const ends = { Home: [k, 0, 0, 1], End: [k, columns - 1, 0, -1], PageUp: [0, j, 1, 0], PageDown: [rows - 1, j, -1, 0] };
  const inside = (r, c) => r >= 0 && r < rows && c >= 0 && c < columns;
  if (!(key in ways) && !(key in ends)) return undefined;
  let [r, c, down, right] = key in ends ? ends[key] : [k + ways[key][0], j + ways[key][1], ...ways[key]];
  // Over the diagonal, where nobody hears itself.
  if (r === c) [r, c] = [r + down, c + right];
  return inside(r, c) && r !== c ? [r, c] : [k, j];
}

/** The way from one node to the rim of another, bent to its right; it begins under the node. */
export function arrowWay([x, y], [a, b]) {
  const length = Math.hypot(a - x, b - y);
  const [ux, uy] = [(a - x) / length, (b - y) / length];
  const turn = [(x + a) / 2 - BEND * uy, (y + b) / 2 + BEND * ux];
  const toward = (from, to, gap) => {
    const far = Math.hypot(to[0] - from[0], to[1] - from[1]);
    return [from[0] + (gap * (to[0] - from[0])) / far, from[1] + (gap * (to[1] - from[1])) / far];
  };
  const [end, tip] = [toward([a, b], turn, DISC + 12), toward([a, b], turn, DISC + 2)];
  return { start: [x, y], turn, end, tip };
}

function head({ end, tip }, width) {
  const half = 4 + width / 2;
  const length = Math.hypot(tip[0] - end[0], tip[1] - end[1]);
  const [ux, uy] = [(tip[0] - end[0]) / length, (tip[1] - end[1]) / length];
  const side = (sign) => `L${end[0] - sign * half * uy} ${end[1] + sign * half * ux}`;
  return `M${tip[0]} ${tip[1]}${side(1)}${side(-1)}Z`;
}

function edge(parent, places, heard, [k, j]) {
  const way = arrowWay(places[j], places[k]);
  const d = `M${way.start.join(" ")}Q${way.turn.join(" ")} ${way.end.join(" ")}`;
  const style = heard[j] === "teacher" ? "teacher" : `learner${j}`;
  const group = svg("g", { class: "kd-edge", "data-edge": `${heard[k]},${heard[j]}` }, parent);
  svg("title", {}, group, `${heard[k]} hears ${heard[j]}`);
  const halo = svg("path", { class: "kd-halo", d }, group);
  const line = svg("path", { class: `kd-arrow-line kd-stroke-${style}`, d }, group);
  const tip = svg("path", { class: `kd-fill-${style}` }, group);
  svg("path", { class: "kd-hit", d }, group);
  return (weight, chosen) => {
    const width = WIDEST * weight;
    group.setAttribute("data-value", weight);
    group.classList.toggle("kd-chosen", chosen);
    group.classList.toggle("kd-silent", weight === 0);
    line.setAttribute("stroke-width", Math.max(1, width));
    halo.setAttribute("stroke-width", width + 8);
    tip.setAttribute("d", head(way, width));
  };
}

function node(parent, [x, y], name, index) {
  if (name === "teacher") {
    svg("rect", { class: "kd-fill-teacher", x: x - 28, y: y - 15, width: 56, height: 30, rx: 3 }, parent);
  } else {
    svg("circle", { class: `kd-fill-learner${index}`, cx: x, cy: y, r: DISC }, parent);
  }
  const ink = name === "teacher" ? "kd-on-teacher" : `kd-on-learner${index}`;
  svg("text", { class: `kd-on-node ${ink}`, x, y: y + 4, "text-anchor": "middle" }, parent, name);
}

/** The graph; a click on an arrow chooses it. */
export function learnerGraph(parent, signal, { heard, edges, onChoose }) {
  const { places, height } = nodePlaces(heard.length);
  const chart = drawing(parent, [ACROSS, height], "Who hears whom");
  const shows = edges.map((pair) => edge(chart, places, heard, pair));
  heard.forEach((name, i) => node(chart, places[i], name, i));
  chart.addEventListener("click", (event) => {
    const found = [...chart.querySelectorAll(".kd-edge")].findIndex((group) => group.contains(event.target));
    if (found >= 0) onChoose(edges[found]);
  }, { signal });
  return (weights, [k, j], words) => {
    edges.forEach(([r, c], i) => shows[i](weights[r][c], r === k && c === j));
    chart.setAttribute("aria-label", words);
  };
}

/** The same as a table, walked with the keys: rows hear, columns are heard. */
export function weightTable(parent, signal, { heard, edges, onChoose }) {
  const rows = Math.max(...edges.map(([k]) => k)) + 1;
  const table = html("table", { class: "kd-weights", role: "grid", "aria-label": "Weights: rows hear columns" }, parent);
  const top = html("tr", { role: "row" }, html("thead", { role: "rowgroup" }, table));
  ["hears", ...heard, "labels"].forEach((name) => html("th", { role: "columnheader", "aria-label": name }, top, name));
  const body = html("tbody", { role: "rowgroup" }, table);
  const labels = [];
  const cells = heard.slice(0, rows).map((name, k) => {
    const line = html("tr", { role: "row" }, body);
    html("th", { role: "rowheader", "aria-label": name }, line, name);
    const made = heard.map((_, j) => html("td", k === j ? {} : {
      role: "gridcell", tabindex: -1, "data-cell": `${k},${j}`, ...OWN_KEYS,
    }, line, k === j ? "\u2013" : ""));
    labels.push(html("td", { class: "kd-rest", "data-labels": name }, line));
    return made;
  });
  const pairOf = (target) => target.closest("[data-cell]")?.dataset.cell.split(",").map(Number);
  table.addEventListener("click", ({ target }) => {
    const pair = pairOf(target);
    if (pair) onChoose(pair);
  }, { signal });
  table.addEventListener("keydown", (event) => {
    const next = pairOf(event.target) && stepWeight(event.key, pairOf(event.target), rows, heard.length);
    if (!next || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    onChoose(next);
    cells[next[0]][next[1]].focus({ preventScroll: true });
  }, { signal });
  return (weights, [k, j]) => {
    for (const [r, c] of edges) {
      const [cell, on] = [cells[r][c], r === k && c === j];
      setText(cell, weights[r][c].toFixed(2));
      cell.setAttribute("aria-label", `${heard[r]} hears ${heard[c]}: ${weights[r][c].toFixed(2)}`);
      cell.setAttribute("tabindex", on ? 0 : -1);
      cell.setAttribute("aria-selected", String(on));
    }
    weights.forEach((row, r) => setText(labels[r], Math.max(0, 1 - row.reduce((a, b) => a + b)).toFixed(2)));
  };
}
