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

// As relucert_core.words.number prints it, cut off downward: three significant digits of the number's exact value.
function shortNumber(value, digits = 3) {
  if (!Number.isFinite(value)) return "∞";
  if (value <= 0) return "0";
  const [mantissa, power] = value.toExponential(60).split("e");
  const exponent = Number(power);
  const kept = mantissa.replace(".", "").slice(0, digits);
  if (exponent < -6 || exponent > 4) return `${kept[0]}.${kept.slice(1)} × 10^${exponent}`;
  if (exponent >= digits) return kept.padEnd(exponent + 1, "0");
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${kept}`;
  return exponent === digits - 1 ? kept : `${kept.slice(0, exponent + 1)}.${kept.slice(exponent + 1)}`;
}

// Places for words beside their marks. wanted: [{ spot: [x, y], width, height }]; taken: boxes [x0, y0, x1, y1] that
// stay free; room: the box for all. Gives a box for each, none over another, or null where there is no place.
function placeLabels(wanted, taken, room) {
  const apart = (a, b) => a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
  const used = [...taken];
  return wanted.map(({ spot: [x, y], width, height }) => {
    for (let reach = 10; reach < 260; reach += 14) {
      for (let turn = 0; turn < 12; turn++) {
        const angle = (Math.PI / 6) * (turn % 2 ? (turn + 1) / 2 : -turn / 2); // right first, then to both sides
        const [cx, cy] = [x + Math.cos(angle) * (reach + width / 2), y + Math.sin(angle) * (reach + height / 2)];
        const box = [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2];
        const inside = box[0] >= room[0] && box[1] >= room[1] && box[2] <= room[2] && box[3] <= room[3];
        if (inside && used.every((other) => apart(box, other))) {
          used.push(box);
          return box;
        }
      }
    }
    return null;
  });
}

// A finger on the node drags it: the page is not to scroll. `touch-action` does nothing on a group of an SVG.
function keepTouches(node) {
  node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
}

// The shapes, from back to front. `look`: colours and line width from Python.
function makeOverlay() {
  const group = svgNode("g");
  const shape = {};
  for (const name of ["extension", "region", "circle", "boundary", "exact", "spoke", "truth", "face", "hover", "probe", "marks"]) {
    shape[name] = svgNode(["circle", "boundary", "exact"].includes(name) ? "circle" : name === "marks" ? "g" : "path", { fill: "none" });
    group.append(shape[name]);
  }
  const handle = svgNode("g", { class: "relucert-handle", tabindex: 0, role: "application", style: "pointer-events:all;cursor:grab" });
  keepTouches(handle);
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
  setAll(shape.probe, { stroke: look.neuron, "stroke-width": line * 2, "stroke-opacity": 0.75, "stroke-linecap": "round" });
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

// Adversarial points with their paths: [{ path: [[x, y], ...], title }], the point last. Their names stand clear of each
// other, of all points and of u (at `centre`), inside the box `room`; a thin line leads from each to its point.
function drawMarks(node, marks, place, look, room, centre) {
  node.replaceChildren();
  const size = look.font - 1;
  const ends = marks.map((mark) => place(mark.path[mark.path.length - 1]));
  const around = (spot, reach) => [spot[0] - reach, spot[1] - reach, spot[0] + reach, spot[1] + reach];
  const taken = [around(centre, 16), ...ends.map((end) => around(end, 8))];
  const wanted = marks.map((mark, i) => ({ spot: ends[i], width: mark.title.length * size * 0.58 + 4, height: size * 1.25 }));
  const boxes = placeLabels(wanted, taken, room);
  marks.forEach((mark, i) => {
    const end = ends[i];
    const way = mark.path.length > 1 ? `M${outline(mark.path, place)}` : "";
    const dash = ["", "5 3", "2 3", "8 3 2 3"][i % 4];
    node.append(svgNode("path", { d: way, fill: "none", stroke: look.upper, "stroke-width": look.line * 0.8, "stroke-dasharray": dash }));
    const cross = `M${end[0] - 6},${end[1] - 6}l12,12m0,-12l-12,12`;
    node.append(svgNode("path", { d: cross, stroke: look.background, "stroke-width": look.line * 2.5, fill: "none" }));
    node.append(svgNode("path", { d: cross, stroke: look.upper, "stroke-width": look.line * 1.3, fill: "none" }));
    if (!boxes[i]) return;
    const [x0, y0, x1, y1] = boxes[i];
    const near = [Math.min(x1, Math.max(x0, end[0])), Math.min(y1, Math.max(y0, end[1]))];
    node.append(svgNode("path", { d: `M${end[0]},${end[1]}L${near[0]},${near[1]}`, stroke: look.upper, "stroke-width": 1, "stroke-opacity": 0.7 }));
    const name = svgNode("text", { x: x0 + 2, y: y1 - size * 0.28, fill: look.upper, stroke: look.background, "stroke-width": 3, "paint-order": "stroke", "font-size": size, class: "relucert-name" });
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
