// What moves with the point u: its region, the limiting face, the circles, drawn as SVG over a picture of the plane.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

function svgNode(name, attributes = {}) {
  const node = document.createElementNS(SVG_NAMESPACE, name);
  setAll(node, attributes);
  return node;
}

function setAll(node, attributes) {
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
}

function shortNumber(value) {
  if (!Number.isFinite(value)) return "∞";
  if (value === 0) return "0";
  const step = 10 ** (Math.floor(Math.log10(value)) - 1); // cut off downward, two digits
  const cut = Math.floor(value / step + 1e-9) * step;
  return value >= 0.001 ? String(+cut.toPrecision(2)) : cut.toExponential(1);
}

// The shapes, from back to front. `look`: colours and line width from Python.
function makeOverlay() {
  const group = svgNode("g");
  const shape = {};
  for (const name of ["extension", "region", "circle", "boundary", "exact", "spoke", "truth", "face", "hover", "marks"]) {
    shape[name] = svgNode(["circle", "boundary", "exact"].includes(name) ? "circle" : name === "marks" ? "g" : "path", { fill: "none" });
    group.append(shape[name]);
  }
  const handle = svgNode("g", { class: "relucert-handle", tabindex: 0, role: "application", style: "pointer-events:all;cursor:grab;touch-action:none" });
  handle.append(svgNode("circle", { r: 22, fill: "transparent" }), svgNode("circle", { r: 14, class: "grip", fill: "none" }), svgNode("circle", { r: 4.5, class: "dot" }));
  return { group, shape, handle };
}

function paintOverlay(overlay, look) {
  const { shape, handle } = overlay;
  const line = look.line;
  setAll(shape.region, { fill: look.region, "fill-opacity": 0.3, stroke: look.text, "stroke-width": line * 1.1, "stroke-linejoin": "round" });
  setAll(shape.face, { stroke: look.face, "stroke-width": line * 2.6, "stroke-linecap": "round" });
  setAll(shape.extension, { stroke: look.boundary, "stroke-width": line, "stroke-dasharray": "1 6", "stroke-linecap": "round" });
  setAll(shape.circle, { fill: look.lower, "fill-opacity": 0.22, stroke: look.lower, "stroke-width": line * 1.2 });
  setAll(shape.boundary, { stroke: look.lower, "stroke-width": line, "stroke-dasharray": "8 3 2 3" });
  setAll(shape.exact, { stroke: look.exact, "stroke-width": line, "stroke-dasharray": "7 5" });
  setAll(shape.spoke, { stroke: look.lower, "stroke-width": line });
  setAll(shape.truth, { stroke: look.exact, "stroke-width": line, "stroke-dasharray": "7 5" });
  setAll(shape.hover, { stroke: look.neuron, "stroke-width": line * 2.2, "stroke-linecap": "round" });
  setAll(handle.querySelector(".grip"), { stroke: look.text, "stroke-width": 1.5, "stroke-opacity": 0.45 });
  setAll(handle.querySelector(".dot"), { fill: look.text, stroke: look.background, "stroke-width": 1.5 });
}

function outline(points, place) {
  return points.map((p) => place(p).map((v) => v.toFixed(1)).join(",")).join("L");
}

function show(node, visible) {
  node.style.display = visible ? "" : "none";
}

function ring(node, centre, radius, visible) {
  const drawable = visible && Number.isFinite(radius) && radius > 0;
  show(node, drawable);
  if (drawable) setAll(node, { cx: centre[0], cy: centre[1], r: Math.min(radius, 20000) });
}

function stroke(node, points, place, visible) {
  show(node, visible && points !== null);
  if (visible && points !== null) node.setAttribute("d", `M${outline(points, place)}`);
}

// seen: what lookAt gives. place: from the plane to pixels. frame: the visible rectangle. wanted: names of layers.
function drawOverlay(overlay, seen, place, frame, wanted) {
  const { shape, handle } = overlay;
  const centre = place(seen.u);
  const unit = Math.abs(place([seen.u[0] + 1, seen.u[1]])[0] - centre[0]);
  const wide = frame[1] - frame[0] + frame[3] - frame[2];
  const room = [Math.min(frame[0], seen.u[0]) - wide, Math.max(frame[1], seen.u[0]) + wide, Math.min(frame[2], seen.u[1]) - wide, Math.max(frame[3], seen.u[1]) + wide];
  const region = regionAt(seen.faces, seen.u, room);
  show(shape.region, wanted.has("region"));
  shape.region.setAttribute("d", `M${outline(region.polygon, place)}Z`);
  const face = faceEnds(seen, region);
  stroke(shape.face, face, place, wanted.has("region"));
  drawExtension(shape.extension, seen, room, place, wanted.has("extension"));
  ring(shape.circle, centre, seen.radius * unit, wanted.has("circle"));
  ring(shape.boundary, centre, (seen.boundary ?? 0) * unit, wanted.has("boundary"));
  ring(shape.exact, centre, seen.exact.distance * unit, wanted.has("exact"));
  stroke(shape.spoke, seen.foot && [seen.u, seen.foot], place, wanted.has("circle") && seen.radius > 0);
  stroke(shape.truth, seen.exact.point && [seen.u, seen.exact.point], place, wanted.has("exact") && seen.kind === "face");
  handle.setAttribute("transform", `translate(${centre[0].toFixed(1)},${centre[1].toFixed(1)})`);
}

// The part of the region's rim that limits the ball: an edge in case (b), the decision plane's chord in case (a).
function faceEnds(seen, region) {
  if (!(seen.limit.size > 0)) return null;
  if (seen.kind === "plane") return chord(seen.limit, seen.u, region.polygon);
  const index = region.labels.indexOf(seen.limit);
  return index < 0 ? null : [region.polygon[index], region.polygon[(index + 1) % region.polygon.length]];
}

function drawExtension(node, seen, room, place, visible) {
  show(node, visible);
  if (!visible) return;
  const [x0, x1, y0, y1] = room;
  const corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  const lines = seen.planes.map((plane) => (plane.size > 0 ? chord(plane, seen.u, corners) : null));
  node.setAttribute("d", lines.map((ends) => (ends ? `M${outline(ends, place)}` : "")).join(""));
}

// Adversarial points with their paths: [{ path: [[x, y], ...], title }], the point last; then certified circles' words.
function drawMarks(node, marks, place, look) {
  node.replaceChildren();
  marks.forEach((mark, i) => {
    const end = place(mark.path[mark.path.length - 1]);
    const trail = mark.path.length > 1 ? `M${outline(mark.path, place)}` : "";
    const dash = ["", "5 3", "2 3", "8 3 2 3"][i % 4];
    node.append(svgNode("path", { d: trail, fill: "none", stroke: look.upper, "stroke-width": look.line * 0.8, "stroke-dasharray": dash }));
    const cross = `M${end[0] - 6},${end[1] - 6}l12,12m0,-12l-12,12`;
    node.append(svgNode("path", { d: cross, stroke: look.background, "stroke-width": look.line * 2.5, fill: "none" }));
    node.append(svgNode("path", { d: cross, stroke: look.upper, "stroke-width": look.line * 1.3, fill: "none" }));
    const name = svgNode("text", { x: end[0] + 10, y: end[1] + 5 + 15 * i, fill: look.upper, stroke: look.background, "stroke-width": 3, "paint-order": "stroke", "font-size": look.font - 1 });
    name.textContent = mark.title;
    node.append(name);
  });
}

function previewWords(seen) {
  const what = seen.kind === "face" ? `neuron ${seen.limit.neuron} of layer ${seen.limit.layer}` : `the boundary to class ${seen.limit.rival}`;
  return `Class ${seen.prediction}. Preview: safe radius ${shortNumber(seen.radius)}, true distance ${shortNumber(seen.exact.distance)}, limited by ${what}.`;
}

// Arrow keys on a handle; `span` is the width of the view. Returns the step or null.
function arrowStep(event, span) {
  const size = span * (event.shiftKey ? 0.05 : 0.01);
  return { ArrowLeft: [-size, 0], ArrowRight: [size, 0], ArrowUp: [0, size], ArrowDown: [0, -size] }[event.key] ?? null;
}
