// The legend under the axes, inside the picture: a sample and a word for everything that is drawn.
const SYMBOLS = { // the figure's symbols, in its order, about the origin with a reach of 4
  circle: "M4,0A4,4 0 1 1 -4,0A4,4 0 1 1 4,0Z", square: "M-4,-4H4V4H-4Z", diamond: "M0,-5L5,0L0,5L-5,0Z",
  "triangle-up": "M0,-5L5,3.5H-5Z", cross: "M-1.6,-4.6H1.6V-1.6H4.6V1.6H1.6V4.6H-1.6V1.6H-4.6V-1.6H-1.6Z",
  x: "M-4,-2L-2,-4L0,-2L2,-4L4,-2L2,0L4,2L2,4L0,2L-2,4L-4,2L-2,0Z", star: "M0,-5L1.4,-1.6H5L2.1,0.7L3.1,4.4L0,2.2L-3.1,4.4L-2.1,0.7L-5,-1.6H-1.4Z",
  pentagon: "M0,-5L4.8,-1.5L2.9,4H-2.9L-4.8,-1.5Z", hexagon: "M4.3,-2.5V2.5L0,5L-4.3,2.5V-2.5L0,-5Z", bowtie: "M-4.5,-4V4L0,0L4.5,4V-4L0,0Z",
};

// One sample, 22 wide about (0, 0), for an item of relucert_core.figures.plane_legend.
function legendSample(item, look) {
  const group = svgNode("g");
  const put = (name, attributes) => group.append(svgNode(name, attributes));
  const line = { x1: -10, x2: 10, y1: 0, y2: 0, stroke: item.colour, "stroke-width": item.width ?? look.line, "stroke-linecap": "butt" };
  if (item.mark === "area") put("rect", { x: -9, y: -7, width: 18, height: 14, rx: 2, fill: item.colour, "fill-opacity": item.tint, stroke: item.rim ?? "none", "stroke-width": 1.2 });
  if (item.symbol) put("path", { d: SYMBOLS[item.symbol] ?? SYMBOLS.circle, fill: item.colour });
  if (item.mark === "line") put("line", { ...line, "stroke-dasharray": item.dash ?? "none" });
  if (item.mark === "circle") put("circle", { r: 7, fill: item.tint ? item.colour : "none", "fill-opacity": item.tint ?? 0, stroke: item.colour, "stroke-width": look.line, "stroke-dasharray": item.dash ?? "none" });
  if (item.mark === "dot") put("circle", { r: 4.5, fill: item.colour });
  if (item.mark === "attack") put("path", { d: "M-5,-5L5,5M5,-5L-5,5", stroke: item.colour, "stroke-width": look.line * 1.3 });
  if (item.mark === "scale") item.colours.forEach((colour, i) => put("rect", { x: -9 + 10 * i, y: -7, width: 10, height: 14, fill: colour }));
  return group;
}

// Fill the drawing with rows of at most `width` pixels; gives its height. shown: which layers have something to show.
function drawLegend(svg, items, width, look, shown) {
  svg.replaceChildren();
  const size = Math.max(12, look.font - 2);
  const row = size * 1.6;
  let [x, y] = [4, row * 0.6];
  for (const item of items) {
    if (item.layer && !shown.has(item.layer)) continue;
    const sample = item.mark === "scale" ? 10 * item.colours.length + 6 : 26;
    const room = sample + item.text.length * size * 0.52 + 14;
    if (x > 4 && x + room > width) [x, y] = [4, y + row];
    const mark = legendSample(item, look);
    mark.setAttribute("transform", `translate(${x + 11},${y})`);
    const words = svgNode("text", { x: x + sample, y: y + size * 0.35, "font-size": size, fill: look.text });
    words.textContent = item.text;
    svg.append(mark, words);
    x += room;
  }
  const height = Math.ceil(y + row * 0.6);
  const spoken = items.filter((item) => !item.layer || shown.has(item.layer)).map((item) => item.text);
  setAll(svg, { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Legend: ${spoken.join(", ")}` });
  return height;
}
