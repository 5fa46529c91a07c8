// The network as a diagram. Filled neurons are on at the point u, the ringed one limits the ball; pointing at a neuron
// shows on the plane where it changes sign.
const diagrams = new WeakMap();
const [WIDE, TALL, MOST_LINES] = [340, 260, 1600];

function spots(widths) {
  return widths.map((count, layer) =>
    Array.from({ length: count }, (_, i) => [
      24 + (layer * (WIDE - 48)) / (widths.length - 1),
      TALL / 2 + (i - (count - 1) / 2) * Math.min(26, (TALL - 24) / Math.max(count - 1, 1)),
    ]),
  );
}

function drawWires(svg, data, places) {
  const total = data.widths.slice(1).reduce((sum, n, i) => sum + n * data.widths[i], 0);
  if (total > MOST_LINES) return;
  data.weights.forEach((text, layer) => {
    const weights = decodeArray(text, Float32Array);
    const most = weights.reduce((big, w) => Math.max(big, Math.abs(w)), 1e-9);
    weights.forEach((w, k) => {
      const [to, from] = [Math.floor(k / data.widths[layer]), k % data.widths[layer]];
      const [a, b] = [places[layer][from], places[layer + 1][to]];
      svg.append(svgNode("line", {
        x1: a[0], y1: a[1], x2: b[0], y2: b[1], stroke: w > 0 ? data.look.lower : data.look.upper,
        "stroke-width": (2.2 * Math.abs(w)) / most, "stroke-opacity": 0.55, "stroke-dasharray": w > 0 ? "" : "4 2",
      }));
    });
  });
}

function neuron(diagram, layer, index, spot, radius) {
  const hidden = layer > 0 && layer < diagram.data.widths.length - 1;
  const circle = svgNode("circle", { cx: spot[0], cy: spot[1], r: radius, "stroke-width": 1.2 });
  if (!hidden) return circle;
  setAll(circle, { tabindex: 0, role: "button", "aria-label": `Neuron ${index} of layer ${layer}` });
  const on = () => {
    const lines = linesOf(diagram, layer - 1, index);
    diagram.channel.tell("hover", lines);
    diagram.words.textContent = lines.length
      ? `Neuron ${index} of layer ${layer} bends along ${lines.length} edge${lines.length > 1 ? "s" : ""} of the picture.`
      : `Neuron ${index} of layer ${layer} never changes sign in view.`;
  };
  const off = () => {
    diagram.channel.tell("hover", null);
    diagram.words.textContent = diagram.hint;
  };
  circle.onpointerenter = circle.onfocus = circle.onclick = on;
  circle.onpointerleave = circle.onblur = off;
  return circle;
}

function linesOf(diagram, layer, index) {
  const place = diagram.data.owners.indexOf(1000 * layer + index);
  if (place < 0) return [];
  const result = [];
  for (let e = diagram.data.begins[place]; e < diagram.data.begins[place + 1]; e++) {
    const [ax, ay, bx, by] = diagram.lines.subarray(4 * e, 4 * e + 4);
    result.push([[ax, ay], [bx, by]]);
  }
  return result;
}

function build(diagram) {
  const { svg, data } = diagram;
  svg.setAttribute("viewBox", `0 0 ${WIDE} ${TALL}`);
  svg.replaceChildren();
  const places = spots(data.widths);
  drawWires(svg, data, places);
  const most = Math.max(...data.widths);
  const radius = Math.max(2.6, Math.min(9, (TALL - 24) / most / 2.4));
  diagram.circles = places.map((column, layer) => column.map((spot, index) => neuron(diagram, layer, index, spot, radius)));
  svg.append(...diagram.circles.flat());
  ["x", "y"].forEach((name, i) => {
    const label = svgNode("text", { x: places[0][i][0] - 18, y: places[0][i][1] + 4 });
    label.textContent = name;
    svg.append(label);
  });
  fill(diagram);
}

function fill(diagram) {
  const seen = diagram.channel.get("seen");
  if (!seen || seen.rows.length !== diagram.circles.length - 1) return;
  const { look } = diagram.data;
  diagram.circles.slice(1).forEach((column, layer) => {
    if (3 * column.length !== seen.rows[layer].length) return;
    const last = layer === diagram.circles.length - 2;
    column.forEach((circle, j) => {
      const on = last ? j === seen.prediction : seen.rows[layer][3 * j] > 0;
      const limits = seen.kind === "face" ? seen.limit.layer === layer + 1 && seen.limit.neuron === j : last && seen.limit.rival === j;
      const colour = last ? look.classes[j % look.classes.length] : look.text;
      const state = `${on ? colour : look.background} ${limits}`;
      if (circle.dataset.state === state) return; // a thousand attributes a frame would slow the dragging down
      circle.dataset.state = state;
      circle.setAttribute("fill", on ? colour : look.background);
      circle.style.stroke = limits ? look.face : "";
      circle.style.strokeWidth = limits ? "4" : "";
    });
  });
}

export default function ({ data, parentElement }) {
  let diagram = diagrams.get(parentElement);
  if (!diagram) {
    diagram = { svg: parentElement.querySelector("svg"), words: parentElement.querySelector("p"), channel: channel(data.target) };
    diagram.hint = "Filled: on at u. Ringed: limits the ball. Solid wires add, dashed ones subtract.";
    diagram.words.textContent = diagram.hint;
    diagram.stop = diagram.channel.listen("seen", () => fill(diagram));
    diagrams.set(parentElement, diagram);
  }
  diagram.data = data;
  diagram.lines = decodeArray(data.lines, Float32Array);
  build(diagram);
  return () => {
    diagram.stop();
    diagram.channel.tell("hover", null);
    diagrams.delete(parentElement);
  };
}
