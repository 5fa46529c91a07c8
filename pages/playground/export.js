// Saves the chart with what is drawn over it, as it is on the screen, as SVG or PNG.
function pictureOf(target, background) {
  const chart = document.querySelector(`.st-key-${target} .js-plotly-plot`);
  const host = chart?.querySelector(".svg-container");
  if (!host) return null;
  const [width, height] = [host.clientWidth, host.clientHeight];
  const whole = svgNode("svg", { xmlns: SVG_NAMESPACE, "xmlns:xlink": "http://www.w3.org/1999/xlink", width, height, viewBox: `0 0 ${width} ${height}` });
  whole.append(svgNode("rect", { width, height, fill: background }));
  for (const part of host.querySelectorAll("svg.main-svg, svg.relucert-overlay")) {
    if (part.closest(".modebar")) continue;
    const copy = part.cloneNode(true);
    setAll(copy, { width, height, x: 0, y: 0, overflow: "hidden" });
    copy.style.background = "none";
    whole.append(copy);
  }
  return { text: new XMLSerializer().serializeToString(whole), width, height };
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function savePng(picture, scale) {
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.width * scale, picture.height * scale];
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => blob && save(blob, "relucert-plane.png"), "image/png");
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture.text)}`;
}

export default function ({ data, parentElement }) {
  const take = () => pictureOf(data.target, data.background);
  parentElement.querySelector(".svg").onclick = () => {
    const picture = take();
    if (picture) save(new Blob([picture.text], { type: "image/svg+xml" }), "relucert-plane.svg");
  };
  parentElement.querySelector(".png").onclick = () => {
    const picture = take();
    if (picture) savePng(picture, 2);
  };
}
