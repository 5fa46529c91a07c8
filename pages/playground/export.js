// Saves the chart with what is drawn over it and its legend, as SVG or PNG: without the ring that u is taken by.
function pictureOf(target, background) {
  const chart = document.querySelector(`.st-key-${target} .js-plotly-plot`);
  const host = chart?.querySelector(".svg-container");
  if (!host) return null;
  const legend = host.querySelector("svg.relucert-legend");
  const [width, plane] = [host.clientWidth, host.clientHeight];
  const height = plane + (legend?.clientHeight ?? 0) + 6;
  const whole = svgNode("svg", { xmlns: SVG_NAMESPACE, "xmlns:xlink": "http://www.w3.org/1999/xlink", width, height, viewBox: `0 0 ${width} ${height}`, "font-family": "Source Sans, sans-serif" });
  whole.append(svgNode("rect", { width, height, fill: background }));
  const put = (part, y, tall) => {
    const copy = part.cloneNode(true);
    setAll(copy, { width, height: tall, x: 0, y, overflow: "hidden" });
    copy.removeAttribute("style");
    for (const node of copy.querySelectorAll(".grip, [fill='transparent'], .relucert-tip, .relucert-note")) {
      if (node.closest(".relucert-handle, .relucert-tip, .relucert-note")) node.remove();
    }
    whole.append(copy);
  };
  for (const part of host.querySelectorAll("svg.main-svg, svg.relucert-overlay")) if (!part.closest(".modebar")) put(part, 0, plane);
  if (legend) put(legend, plane, legend.clientHeight);
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
