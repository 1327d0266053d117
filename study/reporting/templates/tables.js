// Tables that sort by any column, group by group, and those of many rows that filter.
const MANY_ROWS = 8;

function lastHeadings(table) {
  const rows = [...table.tHead.rows], taken = rows.map(() => []), found = [];
  rows.forEach((row, top) => {
    for (const heading of row.cells) {
      let column = 0;
      while (taken[top][column]) column += 1;
      for (let y = top; y < top + heading.rowSpan; y += 1)
        for (let x = column; x < column + heading.colSpan; x += 1) taken[y][x] = true;
      if (top + heading.rowSpan === rows.length && heading.textContent.trim()) found.push([heading, column]);
    }
  });
  return found;
}

function keyOf(row, column) {
  const text = row.cells[column].textContent.trim();
  const number = /^[−-]?\d[\d,]*(\.\d+)?(e[−-]?\d+)?/.exec(text);
  return { text, empty: !text || text === "–", number: number && Number(number[0].replaceAll("−", "-").replaceAll(",", "")) };
}

function compare(a, b) {
  if (a.number !== null && b.number !== null) return a.number - b.number;
  return a.text.localeCompare(b.text, "en", { numeric: true });
}

function sort(table, heading, column) {
  const descending = heading.getAttribute("aria-sort") === "ascending";
  table.querySelectorAll("[aria-sort]").forEach((one) => one.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  for (const body of table.tBodies) {
    const rows = [...body.rows].filter((row) => !row.querySelector(".group"));
    const keys = new Map(rows.map((row) => [row, keyOf(row, column)]));
    rows.sort((one, other) => {
      const [a, b] = [keys.get(one), keys.get(other)];
      if (a.empty || b.empty) return a.empty - b.empty;
      return descending ? compare(b, a) : compare(a, b);
    });
    body.append(...rows);
  }
}

function addFilter(table, rows) {
  const label = document.createElement("label"), field = document.createElement("input");
  const count = document.createElement("output");
  label.className = "filter";
  field.type = "search";
  label.append("Filter ", field, " ", count);
  table.closest(".wide").before(label);
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    rows.forEach((row) => (row.hidden = !row.textContent.toLowerCase().includes(wanted)));
    count.value = wanted ? `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows` : "";
  });
}

for (const table of document.querySelectorAll("table.sortable")) {
  const rows = [...table.querySelectorAll("tbody tr")].filter((row) => !row.querySelector(".group"));
  if (rows.length > 1) {
    for (const [heading, column] of lastHeadings(table)) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => sort(table, heading, column));
    }
  }
  if (rows.length >= MANY_ROWS) addFilter(table, rows);
}
