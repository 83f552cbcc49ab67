"use strict";
/* Sorting, filters and the look. Without this script the page shows everything. */
(() => {
  const each = (selector, act, root = document) => root.querySelectorAll(selector).forEach(act);
  each(".needs-script", (element) => { element.hidden = false; });

  const LOOKS = ["", "light", "dark"];
  const NAMES = ["as the system", "light", "dark"];
  const look = document.getElementById("look");
  look.addEventListener("click", () => {
    const next = (LOOKS.indexOf(document.documentElement.dataset.look || "") + 1) % LOOKS.length;
    document.documentElement.dataset.look = LOOKS[next];
    look.querySelector("span").textContent = NAMES[next];
  });

  const valueOf = (cell) => {
    if (!cell) return null;
    if (cell.dataset.value === undefined) return cell.textContent.trim().toLowerCase() || null;
    return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  const sortBy = (head, direction) => {
    const place = [...head.parentElement.children].indexOf(head);
    const body = head.closest("table").tBodies[0];
    const rows = [...body.rows].map((row) => [valueOf(row.cells[place]), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      return direction * compare(a, b);
    });
    body.append(...rows.map(([, row]) => row));
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  };
  each("button.sort", (button) => button.addEventListener("click", () => {
    const head = button.closest("th");
    const first = button.dataset.first === "up" ? 1 : -1;
    const now = head.getAttribute("aria-sort");
    sortBy(head, now ? (now === "ascending" ? -1 : 1) : first);
  }));

  const form = document.getElementById("filters");
  const board = document.getElementById("board");
  const rows = [...board.tBodies[0].rows];
  const heads = [...board.querySelectorAll("thead th[data-column]")].map((head) => ({
    head, suites: JSON.parse(head.dataset.suites), abilities: JSON.parse(head.dataset.abilities),
  }));
  const Z = 1.959963984540054;

  const meanOf = (row, columns) => {
    const total = row.querySelector(".total");
    if (!total) return;
    const cells = columns.map((column) => row.querySelector(`td[data-column="${column}"]`));
    const whole = cells.length > 0 && cells.every((cell) => cell && cell.dataset.se && !cell.classList.contains("off"));
    total.textContent = "–";
    total.dataset.value = "";
    if (!whole) return;
    const sum = (take) => cells.reduce((sofar, cell) => sofar + take(cell.dataset), 0);
    const mean = sum((data) => Number(data.value)) / cells.length;
    const reach = (Z * Math.sqrt(sum((data) => Number(data.se) ** 2))) / cells.length;
    const shown = document.createElement("span");
    const interval = document.createElement("span");
    shown.className = "mean";
    shown.textContent = (100 * mean).toFixed(1);
    interval.className = "ci";
    interval.textContent = ` ± ${(100 * reach).toFixed(1)}`;
    total.replaceChildren(shown, interval);
    total.dataset.value = String(mean);
  };

  const filter = () => {
    const asked = Object.fromEntries(new FormData(form));
    const chosen = (name) => asked[name] || "";
    const columns = [];
    heads.forEach(({ suites, abilities }, place) => {
      const shown = (!chosen("suite") || suites.includes(asked.suite)) && (!chosen("ability") || abilities.includes(asked.ability));
      if (shown) columns.push(place);
      each(`[data-column="${place}"]`, (cell) => { cell.hidden = !shown; }, board);
    });
    let count = 0;
    const words = chosen("model").toLowerCase();
    for (const row of rows) {
      let any = false;
      each("td[data-column]", (cell) => {
        const fits = cell.dataset.protocol !== undefined && columns.includes(Number(cell.dataset.column))
          && (!chosen("protocol") || cell.dataset.protocol === asked.protocol)
          && (!chosen("strategy") || cell.dataset.strategy === asked.strategy);
        cell.classList.toggle("off", !fits && cell.dataset.protocol !== undefined);
        any = any || fits;
      }, row);
      const wanted = any && row.cells[0].textContent.toLowerCase().includes(words) && (asked.baselines || row.dataset.kind === "model");
      row.hidden = !wanted;
      count += wanted ? 1 : 0;
      meanOf(row, columns);
    }
    document.getElementById("shown").textContent = `${count} of ${rows.length} rows, ${columns.length} of ${heads.length} tasks`;
    const sorted = board.querySelector("th[aria-sort]");
    if (sorted) sortBy(sorted, sorted.getAttribute("aria-sort") === "ascending" ? 1 : -1);
  };
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();

  const open = () => {
    const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (wanted && wanted.tagName === "DETAILS") {
      wanted.open = true;
      wanted.querySelector("summary").focus();
    }
  };
  addEventListener("hashchange", open);
  open();
  addEventListener("beforeprint", () => each("main details", (panel) => { panel.open = true; }));
})();
