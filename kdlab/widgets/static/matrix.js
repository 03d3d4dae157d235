// A heat map of classes against classes, with a number in each cell.

const CELL = 30;
const LONGEST_HEADING = 11;
// From this shade on, white reads better than black.
const DEEP = 0.93;

/** Where a key takes the chosen cell, as [row, column], or undefined. */
export function stepCell(key, r, c, classes) {
  const inside = (n) => Math.min(classes - 1, Math.max(0, n));
  const moves = {
    ArrowLeft: [r, inside(c - 1)],
    ArrowRight: [r, inside(c + 1)],
    ArrowUp: [inside(r - 1), c],
    ArrowDown: [inside(r + 1), c],
    Home: [r, 0],
    End: [r, classes - 1],
    PageUp: [0, c],
    PageDown: [classes - 1, c],
    Enter: [r, c],
    " ": [r, c],
  };
  return moves[key];
}

/** One cell of a matrix; its number and shade move, nothing is built anew. */
function cell(parent, rowIndex, column) {
  const at = `translate(${column * CELL} ${rowIndex * CELL})`;
  const attributes = { transform: at, "data-cell": `${rowIndex},${column}`, role: "gridcell", tabindex: -1, class: "kd-cell" };
  const group = svg("g", { ...attributes, ...OWN_KEYS }, parent);
  const shade = svg("rect", { width: CELL, height: CELL, class: "kd-fill-teacher" }, group);
  const text = svg("text", { x: CELL / 2, y: CELL / 2, "text-anchor": "middle", class: "kd-number" }, group);
  svg("rect", { x: 1.5, y: 1.5, width: CELL - 3, height: CELL - 3, class: "kd-ring" }, group);
  return { group, shade, text };
}

/** A heat map with a number in each cell, walked with arrow keys, chosen with a click. */
export function matrix(parent, signal, { names, label, format, describe, onChoose, onPoint }) {
  const classes = names.length;
  const longest = Math.max(...names.map((name) => name.length));
  const left = 26 + 6.5 * Math.min(LONGEST_HEADING, longest);
  const [top, size] = [left > 40 ? left : 34, classes * CELL];
  const panel = html("div", { class: "kd-matrix" }, parent);
  html("div", { class: "kd-heading" }, panel, label);
  const chart = drawing(panel, [left + size + 2, top + size + 2], label, "grid");
  svg("text", { x: left + size / 2, y: 10, "text-anchor": "middle", class: "kd-tick" }, chart, "teacher says");
  const upright = `translate(9 ${top + size / 2}) rotate(-90)`;
  svg("text", { transform: upright, "text-anchor": "middle", class: "kd-tick" }, chart, "true class");
  names.forEach((name, i) => {
    const turn = top > 40 ? " rotate(-60)" : "";
    const across = `translate(${left + (i + 0.5) * CELL} ${top - 6})${turn}`;
    const heading = { transform: across, "text-anchor": turn ? "start" : "middle" };
    nameText(heading, chart, name, LONGEST_HEADING);
    const down = { x: left - 6, y: top + (i + 0.5) * CELL, "text-anchor": "end", class: "kd-name" };
    nameText(down, chart, name, LONGEST_HEADING);
  });
  const table = svg("g", { transform: `translate(${left} ${top})`, role: "rowgroup" }, chart);
  const cells = names.flatMap((_, r) => {
    const line = svg("g", { role: "row" }, table);
    return names.map((_, c) => cell(line, r, c));
  });
  let values = [];
  let chosen = -1;
  const place = (i) => [Math.floor(i / classes), i % classes];
  const words = (i) => describe(values[i], ...place(i));
  const indexOf = (event) => cells.findIndex(({ group }) => group.contains(event.target));
  table.addEventListener("click", (event) => choose(indexOf(event)), { signal });
  table.addEventListener("pointerover", (event) => {
    const i = indexOf(event);
    onPoint(i < 0 ? null : () => words(i));
  }, { signal });
  table.addEventListener("pointerleave", () => onPoint(null), { signal });
  table.addEventListener("keydown", (event) => {
    const next = stepCell(event.key, ...place(indexOf(event)), classes);
    if (!next || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    onPoint(null);
    choose(next[0] * classes + next[1]);
  }, { signal });
  function choose(i) {
    if (i < 0) return;
    select(...place(i));
    cells[i].group.focus({ preventScroll: true });
    onChoose(...place(i));
  }
  function select(r, c) {
    const next = r * classes + c;
    if (next !== chosen) {
      cells[chosen]?.group.setAttribute("tabindex", -1);
      cells[chosen]?.group.removeAttribute("aria-selected");
      cells[next].group.setAttribute("tabindex", 0);
      cells[next].group.setAttribute("aria-selected", true);
      chosen = next;
    }
    cells[chosen].group.setAttribute("aria-label", words(chosen));
  }
  function update(next, shares) {
    values = next;
    cells.forEach(({ group, shade, text }, i) => {
      // The square root spreads small shares, where the dark knowledge is.
      const depth = Math.sqrt(shares[i]) || 0;
      shade.setAttribute("fill-opacity", depth);
      group.classList.toggle("kd-deep", depth > DEEP);
      group.setAttribute("data-value", values[i]);
      setText(text, format(values[i]));
    });
  }
  return { select, update };
}
