// A click on a picture opens it under a slider beside another picture of the same scene.
(() => {
  const dialog = document.getElementById("compare");
  if (!dialog || !dialog.showModal) return;
  document.documentElement.classList.add("script");
  const [left, right] = dialog.querySelectorAll(".pair img");
  const pair = dialog.querySelector(".pair");
  const range = dialog.querySelector("input");
  const [chooseLeft, chooseRight] = dialog.querySelectorAll("select");
  let images = [];

  const split = (percent) => {
    const at = Math.min(100, Math.max(0, percent));
    range.value = at;
    pair.style.setProperty("--at", at + "%");
  };
  const show = () => {
    left.src = images[chooseLeft.value].src;
    right.src = images[chooseRight.value].src;
  };
  const open = (group, clicked) => {
    images = [...group.querySelectorAll("img")];
    const at = Math.max(0, images.indexOf(clicked));
    dialog.querySelector("strong").textContent = group.dataset.group;
    for (const select of [chooseLeft, chooseRight]) {
      select.replaceChildren(...images.map((image, i) => new Option(image.dataset.title, i)));
    }
    chooseLeft.value = 0;
    chooseRight.value = at || Math.min(1, images.length - 1);
    pair.style.setProperty("--ratio", clicked.getAttribute("width") / clicked.getAttribute("height"));
    split(50);
    show();
    dialog.showModal();
  };

  for (const group of document.querySelectorAll("[data-group]")) {
    for (const image of group.querySelectorAll("img")) {
      image.tabIndex = 0;
      image.setAttribute("role", "button");
      image.addEventListener("click", () => open(group, image));
      image.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        open(group, image);
      });
    }
  }
  const drag = (event) => {
    const box = pair.getBoundingClientRect();
    split((100 * (event.clientX - box.left)) / box.width);
  };
  pair.addEventListener("pointerdown", (event) => {
    pair.setPointerCapture(event.pointerId);
    drag(event);
  });
  pair.addEventListener("pointermove", (event) => event.buttons && drag(event));
  range.addEventListener("input", () => split(+range.value));
  chooseLeft.addEventListener("change", show);
  chooseRight.addEventListener("change", show);
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
})();
