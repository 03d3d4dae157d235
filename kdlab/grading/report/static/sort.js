// A click on a heading sorts the table; a second one turns it round. Blanks stay last.
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const told = table.parentElement.nextElementSibling;
  const valueOf = (row, column) => row.cells[column].dataset.sort ?? "";
  const compare = (a, b, numeric) => (numeric ? a - b : a.localeCompare(b));

  const sort = (heading, column) => {
    const down = heading.ariaSort === "ascending";
    const numeric = heading.classList.contains("figure") || column === 0;
    const rows = [...body.rows].map((row) => [valueOf(row, column), row]);
    const full = rows.filter(([value]) => value !== "");
    full.sort(([a], [b]) => (down ? -1 : 1) * compare(a, b, numeric));
    body.append(...full.concat(rows.filter(([value]) => value === "")).map(([, row]) => row));
    headings.forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    told.textContent = `Sorted by ${heading.textContent}, ${down ? "descending" : "ascending"}.`;
  };

  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sort(heading, column));
    heading.append(button);
  });
}
