// Saves the chart with what is drawn over it and its legend, as SVG or PNG: without the ring that u is taken by.
// How the picture was made stands in it: <metadata> of the SVG, a text chunk "Comment" after the header of the PNG.
function pictureOf(target, background, about) {
  const chart = document.querySelector(`.st-key-${target} .js-plotly-plot`);
  const host = chart?.querySelector(".svg-container");
  if (!host) return null;
  const legend = host.querySelector("svg.relucert-legend");
  const [width, plane] = [host.clientWidth, host.clientHeight];
  const height = plane + (legend?.clientHeight ?? 0) + 6;
  const whole = svgNode("svg", { xmlns: SVG_NAMESPACE, "xmlns:xlink": "http://www.w3.org/1999/xlink", width, height, viewBox: `0 0 ${width} ${height}`, "font-family": "Source Sans, sans-serif" });
  const metadata = svgNode("metadata", {});
  metadata.textContent = about;
  whole.append(metadata, svgNode("rect", { width, height, fill: background }));
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

function checksum(bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

function textChunk(text) {
  const body = new TextEncoder().encode(`iTXtComment\0\0\0\0\0${text}`);
  const chunk = new Uint8Array(body.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  view.setUint32(body.length + 4, checksum(body));
  return chunk;
}

async function withText(png, text) {
  const bytes = new Uint8Array(await png.arrayBuffer());
  const head = 33; // the signature and the chunk IHDR
  return new Blob([bytes.subarray(0, head), textChunk(text), bytes.subarray(head)], { type: "image/png" });
}

function savePng(picture, scale, about) {
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.width * scale, picture.height * scale];
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob(async (blob) => blob && save(await withText(blob, about), "relucert-plane.png"), "image/png");
  };
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture.text)}`;
}

export default function ({ data, parentElement }) {
  const take = () => pictureOf(data.target, data.background, data.about);
  parentElement.querySelector(".svg").onclick = () => {
    const picture = take();
    if (picture) save(new Blob([picture.text], { type: "image/svg+xml" }), "relucert-plane.svg");
  };
  parentElement.querySelector(".png").onclick = () => {
    const picture = take();
    if (picture) savePng(picture, 2, data.about);
  };
}
