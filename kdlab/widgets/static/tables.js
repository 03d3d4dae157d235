// Small tables of numbers that are changed in place.

/** A number in few characters: 0.4762, 0.0900, 1.4e-7, 98.50; a dash for what is none. */
export function shortNumber(value) {
  if (!Number.isFinite(value)) return "\u2013";
  const size = Math.abs(value);
  if (size > 0 && (size < 1e-3 || size >= 1e4)) return value.toExponential(1).replaceAll("-", "\u2212");
  return (size < 0.99995 ? value.toFixed(4) : value.toPrecision(4)).replace("-", "\u2212");
}

/** The same, but what is rounding alone is 0. */
export function cleanNumber(value) {
  return Math.abs(value) < 1e-12 ? "0" : shortNumber(value);
}

/** A number to five digits, for what is compared with a printed number: 0.040294. */
export function exactNumber(value) {
  const size = Math.abs(value);
  const far = (size > 0 && size < 1e-5) || size >= 1e5;
  return (far ? value.toExponential(4) : String(Number(value.toPrecision(5)))).replaceAll("-", "\u2212");
}

/** A table with headed columns and named rows; `update(rows)` writes texts, a list a row. */
export function numberTable(parent, label, columns, names) {
  const table = html("table", { class: "kd-table", "aria-label": label }, parent);
  const head = html("tr", {}, html("thead", {}, table));
  const heads = ["", ...columns].map((text) => html(text ? "th" : "td", text ? { scope: "col" } : {}, head, text));
  const body = html("tbody", {}, table);
  const rows = names.map((name) => {
    const line = html("tr", {}, body);
    const title = html("th", { scope: "row" }, line, name);
    return { line, title, cells: columns.map(() => html("td", {}, line)) };
  });
  function update(texts) {
    texts.forEach((some, i) => some.forEach((text, j) => setText(rows[i].cells[j], text)));
  }
  return { table, heads, rows, update };
}
