// Folding: sections are open where there is room, and on paper.
const narrow = matchMedia("(max-width: 40rem)").matches;
if (narrow) document.querySelectorAll("details.fold, details.cell").forEach((one) => (one.open = false));

function unfold(target) {
  target?.querySelector("details.fold")?.setAttribute("open", "");
  for (let one = target?.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
}
const addressed = () => {
  const target = document.getElementById(location.hash.slice(1));
  unfold(target);
  target?.scrollIntoView();
};
addEventListener("hashchange", addressed);
document.querySelectorAll("nav a").forEach((one) => one.addEventListener("click", () => setTimeout(addressed)));
addressed();

let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((one) => (one.open = true));
});
addEventListener("afterprint", () => folded.forEach((one) => (one.open = false)));

// What scrolls sideways can be reached by keyboard.
const scrolling = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
document.querySelectorAll(".wide, nav").forEach((one) => scrolling.observe(one));
