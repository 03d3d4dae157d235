// Bars of probabilities, one a class, on fixed axes.

const LOG_DECADES = 8;
const LONGEST_NAME = 18;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** How far along its axis a probability lies, 0 to 1; the log axis starts at 1e-8. */
export function axisShare(p, logAxis) {
  return logAxis ? Math.max(0, 1 + Math.log10(p) / LOG_DECADES) : p;
}

function tickText(share, logAxis) {
  if (!logAxis) return String(share);
  const decade = Math.round(LOG_DECADES * (share - 1));
  return decade === 0 ? "1" : `1e${decade}`;
}

/**
 * Bars with a number each. `update(probabilities, {logAxis, strong})` moves what is there;
 * nothing is built anew. `strong` is the class to stress, `style` teacher or student.
 */
export function probabilityBars(parent, names, { style = "teacher", label }) {
  const longest = Math.max(...names.map((name) => name.length));
  const left = 16 + 7.5 * Math.min(LONGEST_NAME, longest);
  const [right, rowHeight, length] = [66, 21, 360];
  const bottom = names.length * rowHeight + 6;
  const chart = drawing(parent, [left + length + right, bottom + 20], label);
  const ticks = TICKS.map((share) => {
    const x = left + share * length;
    svg("line", { class: "kd-grid", x1: x, x2: x, y1: 4, y2: bottom }, chart);
    return svg("text", { class: "kd-tick", x, y: bottom + 14, "text-anchor": "middle" }, chart);
  });
  const rows = names.map((name, i) => {
    const group = svg("g", { transform: `translate(0 ${4 + i * rowHeight})`, "data-class": i }, chart);
    const y = rowHeight / 2;
    nameText({ x: left - 8, y, "text-anchor": "end", class: "kd-name" }, group, name, LONGEST_NAME);
    const bar = svg("rect", { x: left, y: 3, height: rowHeight - 6, class: `kd-fill-${style}` }, group);
    const number = svg("text", { y, class: "kd-number" }, group);
    return { group, bar, number };
  });
  function update(probabilities, { logAxis = false, strong = -1 } = {}) {
    TICKS.forEach((share, i) => setText(ticks[i], tickText(share, logAxis)));
    rows.forEach(({ group, bar, number }, i) => {
      const width = length * axisShare(probabilities[i], logAxis);
      bar.setAttribute("width", width);
      number.setAttribute("x", left + width + 6);
      setText(number, formatProbability(probabilities[i]));
      group.setAttribute("data-value", probabilities[i]);
      group.classList.toggle("kd-strong", i === strong);
    });
  }
  return { chart, update };
}
