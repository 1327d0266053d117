// Figures come alive when they come into view; the trial that a reader chooses is shown in all figures of its cell.
let loading;
function plottingLibrary() {
  loading ??= (async () => {
    const packed = document.getElementById("plotting-library").textContent;
    const bytes = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0));
    const script = document.createElement("script");
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    script.textContent = await new Response(unpacked).text();
    document.head.append(script);
  })();
  return loading;
}

const views = new Map();
async function enliven(plot) {
  await plottingLibrary();
  const cell = plot.closest(".cell"), place = document.createElement("div");
  const spec = { ...JSON.parse(plot.querySelector("script").textContent), width: "container" };
  plot.append(place);
  const options = { actions: false, renderer: "svg", tooltip: { disableDefaultStyle: true } };
  const { view } = await vegaEmbed(place, spec, options);
  plot.classList.add("live");
  if (!cell || !spec.params) return;
  views.set(plot, view);
  if (cell.dataset.chosen) view.signal("chosen", cell.dataset.chosen).runAsync();
  view.addEventListener("click", (_, item) => item?.datum?.trial && choose(cell, item.datum.trial));
}

function choose(cell, trial) {
  const chosen = cell.dataset.chosen === trial ? "" : trial;
  cell.dataset.chosen = chosen;
  for (const plot of cell.querySelectorAll(".plot"))
    views.get(plot)?.signal("chosen", chosen || null).runAsync();
  let said = "No trial is chosen.";
  for (const row of cell.querySelectorAll("tr[data-trial]")) {
    const own = row.dataset.trial === chosen;
    row.classList.toggle("chosen", own);
    row.querySelector("button").setAttribute("aria-pressed", own);
    if (own) said = `Trial ${chosen}: ${row.dataset.said}.`;
  }
  cell.querySelector(".choice").textContent = said;
}

for (const row of document.querySelectorAll("tr[data-trial]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "trial";
  button.setAttribute("aria-pressed", "false");
  button.append(...row.cells[0].childNodes);
  row.cells[0].append(button);
  button.addEventListener("click", () => choose(row.closest(".cell"), row.dataset.trial));
}

if ("DecompressionStream" in window) {
  const seen = new IntersectionObserver(
    (changes) => {
      for (const { isIntersecting, target } of changes) {
        if (!isIntersecting) continue;
        seen.unobserve(target);
        enliven(target);
      }
    },
    { rootMargin: "200px" },
  );
  document.querySelectorAll(".plot").forEach((one) => seen.observe(one));
}
