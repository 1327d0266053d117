// A picture enlarges in a dialog, where any other version of the same image lies over it up to a handle.
const viewer = document.getElementById("viewer");
if (viewer) {
  const [over, under] = viewer.querySelectorAll("select"), range = viewer.querySelector("input");
  const stage = viewer.querySelector(".slider"), [below, above] = stage.querySelectorAll("img");
  let versions = [];
  const show = () => {
    for (const [select, picture] of [[over, above], [under, below]]) {
      picture.src = versions[select.selectedIndex].src;
      picture.alt = versions[select.selectedIndex].alt;
    }
    range.setAttribute("aria-valuetext", `${range.value} % ${above.alt}, the rest ${below.alt}`);
    stage.style.setProperty("--cut", range.value + "%");
  };
  for (const one of [over, under, range]) one.addEventListener("input", show);

  for (const row of document.querySelectorAll("table.samples tbody tr")) {
    const pictures = [...row.querySelectorAll("img")];
    pictures.forEach((picture, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "enlarge";
      picture.replaceWith(button);
      button.append(picture);
      button.setAttribute("aria-label", `Enlarge and compare: ${picture.alt}`);
      button.addEventListener("click", () => {
        versions = pictures;
        for (const select of [over, under])
          select.replaceChildren(...pictures.map((one) => new Option(one.alt)));
        under.selectedIndex = place || pictures.length - 1;
        over.selectedIndex = 0;
        range.value = 50;
        viewer.querySelector("h2").textContent = row.querySelector("th").innerText.replaceAll("\n", " · ");
        show();
        viewer.showModal();
      });
    });
  }
}
