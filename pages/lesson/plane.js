// The lesson's picture: what belongs to the network comes from Python and stays, what belongs to u is drawn here while
// u is dragged. Arrow keys and PageUp / PageDown, pressed anywhere but in a field, turn the steps.
const lessons = new WeakMap();
const FIELDS = "input, textarea, select, [contenteditable='true'], [role='combobox'], [role='slider'], .relucert-handle";
const PAUSE = 220; // milliseconds between two points that are sent to Python while u is dragged

const TURNS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
const SHAPES = [
  "tints", "piece", "region", "decision", "patterns", "phantom", "beyond", "inside", "first", "second", "extension", "exact", "circle",
  "own", "mix", "spokes", "truth", "limit", "nearest", "badges", "words",
];
const GROUPS = new Set(["tints", "patterns", "first", "second", "badges", "words"]);
const CIRCLES = new Set(["exact", "circle", "own", "mix"]);

function makeLesson(root) {
  const lesson = { root, u: null, seq: null, dragging: false, frame: 0, sent: 0, shape: {} };
  lesson.svg = svgNode("svg", { role: "img" });
  lesson.svg.style.touchAction = "pan-y";
  lesson.title = svgNode("title");
  const cut = svgNode("clipPath", { id: `lesson-${Math.random().toString(36).slice(2)}` });
  lesson.cut = svgNode("path");
  cut.append(lesson.cut);
  lesson.cutName = `url(#${cut.id})`;
  lesson.ground = svgNode("rect");
  lesson.svg.append(lesson.title, cut, lesson.ground);
  for (const name of SHAPES) {
    const kind = GROUPS.has(name) ? "g" : CIRCLES.has(name) ? "circle" : "path";
    lesson.shape[name] = svgNode(kind, { fill: "none" });
    lesson.svg.append(lesson.shape[name]);
  }
  lesson.handle = svgNode("g", { class: "relucert-handle", tabindex: 0, role: "application" });
  keepTouches(lesson.handle);
  lesson.handle.append(svgNode("circle", { r: 24, fill: "transparent" }), svgNode("circle", { r: 9, class: "dot" }), svgNode("text", { x: 13, y: -11 }));
  lesson.handle.lastChild.textContent = "u";
  lesson.svg.append(lesson.handle);
  root.querySelector(".plane").replaceChildren(lesson.svg);

  lesson.draw = () => {
    if (!lesson.data || !lesson.u) return;
    const side = Math.max(200, Math.min(root.clientWidth, lesson.data.tallest));
    lesson.side = side;
    setAll(lesson.svg, { width: side, height: side, viewBox: `0 0 ${side} ${side}` });
    drawLesson(lesson, new Set(lesson.data.show));
  };
  lesson.ask = () => {
    if (!lesson.frame) lesson.frame = requestAnimationFrame(() => {
      lesson.frame = 0;
      lesson.draw();
    });
  };
  const under = (event) => {
    const box = lesson.svg.getBoundingClientRect();
    const [x0, x1, y0, y1] = lesson.data.box;
    return [x0 + ((event.clientX - box.left) / box.width) * (x1 - x0), y1 - ((event.clientY - box.top) / box.height) * (y1 - y0)];
  };
  const kept = (p) => p.map((v, i) => +Math.min(lesson.data.box[2 * i + 1], Math.max(lesson.data.box[2 * i], v)).toFixed(2));
  const move = (p, last) => {
    lesson.u = kept(p);
    lesson.ask();
    const now = Date.now();
    if (!last && now - lesson.sent < PAUSE) return;
    lesson.sent = now;
    lesson.set("u", [...lesson.u, last ? 1 : 0]); // 0: the move is still under way
  };
  lesson.svg.onpointerdown = (event) => {
    const onHandle = Boolean(event.target.closest(".relucert-handle"));
    if (event.pointerType === "touch" && !onHandle) return; // a finger beside the handle scrolls the page; a tap is a click
    event.preventDefault();
    lesson.svg.setPointerCapture(event.pointerId);
    lesson.dragging = true;
    if (!onHandle) move(under(event), false);
  };
  lesson.svg.onpointermove = (event) => lesson.dragging && move(under(event), false);
  lesson.svg.onpointerup = lesson.svg.onpointercancel = () => {
    if (lesson.dragging) move(lesson.u, true);
    lesson.dragging = false;
  };
  lesson.svg.onclick = (event) => event.pointerType === "touch" && move(under(event), true);
  lesson.handle.onkeydown = (event) => {
    const step = arrowStep(event, 5);
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    move([lesson.u[0] + step[0], lesson.u[1] + step[1]], false);
    clearTimeout(lesson.later);
    lesson.later = setTimeout(() => move(lesson.u, true), PAUSE);
  };
  lesson.listen = (event) => {
    const turn = TURNS[event.key];
    const target = event.composedPath()[0];
    const choosing = target?.type === "radio" && event.key.startsWith("Page"); // there only the arrows are taken
    if (!turn || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (!choosing && target?.closest?.(FIELDS)) return;
    event.preventDefault();
    lesson.trigger("turn", turn);
  };
  document.addEventListener("keydown", lesson.listen);
  lesson.watcher = new ResizeObserver(() => lesson.ask());
  lesson.watcher.observe(root);
  lesson.close = () => {
    document.removeEventListener("keydown", lesson.listen);
    lesson.watcher.disconnect();
    cancelAnimationFrame(lesson.frame);
    clearTimeout(lesson.later);
  };
  root.querySelector("button").onclick = () => saveLesson(lesson);
  return lesson;
}

function drawLesson(lesson, wanted) {
  const { shape, data, side, u } = lesson;
  const [x0, x1, y0, y1] = data.box;
  const place = (p) => [((p[0] - x0) / (x1 - x0)) * side, ((y1 - p[1]) / (y1 - y0)) * side];
  const unit = side / (x1 - x0);
  const corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  const seen = lookAt(lesson.geometry, u);
  const lower = lookAt(lesson.lower, u);
  const first = seen.faces.filter((face) => face.layer === 1);
  const piece = regionAt(first, u, data.box);
  const region = regionAt(seen.faces, u, data.box);
  const scene = { lesson, data, wanted, place, unit, corners, seen, lower, first, piece, region, at: place(u) };
  setAll(lesson.ground, { x: 0, y: 0, width: side, height: side });
  lesson.cut.setAttribute("d", `M${outline(region.polygon, place)}Z`);
  if (lesson.drawn !== data || lesson.drawnSide !== side) drawFixed(scene); // the network's own lines stay while u moves
  lesson.drawn = data;
  lesson.drawnSide = side;
  drawAreas(scene);
  drawLines(scene);
  drawDistances(scene);
  drawBadges(scene);
  drawWords(scene);
  const words = previewWords(seen);
  lesson.title.textContent = `${data.title} u is at ${u.join(", ")}. ${words}`;
  lesson.handle.setAttribute("transform", `translate(${scene.at.map((v) => v.toFixed(1)).join(",")})`);
  lesson.handle.setAttribute("aria-label", `The point u at ${u.join(", ")}. Arrow keys move it, with Shift in larger steps.`);
}

function drawFixed({ lesson, data, wanted, place, corners }) {
  const { shape } = lesson;
  const { classes, tint } = data.look;
  const paths = (list, attributes) => list.map((one) => svgNode("path", attributes(one)));
  show(shape.tints, wanted.has("tints") || wanted.has("tints-here"));
  setAll(shape.tints, { opacity: tint });
  shape.tints.replaceChildren(...paths(data.cells, (cell) => ({ d: `M${outline(cell.points, place)}Z`, fill: classes[cell.kind], stroke: classes[cell.kind], "stroke-width": 0.6 })));
  if (wanted.has("tints-here")) shape.tints.setAttribute("clip-path", lesson.cutName);
  else shape.tints.removeAttribute("clip-path");
  show(shape.decision, wanted.has("decision") || wanted.has("lower-decision"));
  const segments = wanted.has("lower-decision") ? data.lowerDecision : data.decision;
  shape.decision.setAttribute("d", segments.map((ends) => `M${outline(ends, place)}`).join(""));
  for (const layer of ["first", "second"]) {
    show(shape[layer], wanted.has(layer));
    const own = data.bent.filter((line) => line.layer === layer);
    shape[layer].replaceChildren(...paths(own, (line) => ({ d: line.ends.map((ends) => `M${outline(ends, place)}`).join("") })));
  }
  show(shape.patterns, wanted.has("patterns"));
  shape.patterns.replaceChildren(...paths(data.patterns, (one) => ({ d: patternLine(one, corners, place), "stroke-dasharray": one.real ? "7 4" : "2 5" })));
}

function drawAreas({ lesson, wanted, place, piece, region }) {
  const { shape } = lesson;
  shape.piece.setAttribute("d", `M${outline(piece.polygon, place)}Z`);
  show(shape.piece, wanted.has("piece"));
  shape.region.setAttribute("d", `M${outline(region.polygon, place)}Z`);
  show(shape.region, wanted.has("region"));
}

function drawLines({ lesson, wanted, place, corners, seen, piece }) {
  const { shape } = lesson;
  const lines = (list, room) => list.map((one) => chord(one, seen.u, room)).map((ends) => (ends ? `M${outline(ends, place)}` : "")).join("");
  const second = seen.faces.filter((face) => face.layer === 2);
  show(shape.beyond, wanted.has("straight") || wanted.has("beyond"));
  show(shape.inside, wanted.has("straight"));
  shape.beyond.setAttribute("d", lines(second, corners));
  shape.inside.setAttribute("d", lines(second, piece.polygon));
  show(shape.extension, wanted.has("extension"));
  shape.extension.setAttribute("d", lines(seen.planes.filter((plane) => plane.size > 0), corners));
}

// The nearest of the lines of all patterns, with its distance from u.
function nearestPattern(patterns, u) {
  const lines = patterns.filter((one) => one.row[0] || one.row[1]).map((one) => {
    const value = one.offset + one.row[0] * u[0] + one.row[1] * u[1];
    const size = Math.hypot(...one.row);
    return { ...one, value, size, a: one.row, distance: Math.abs(value) / size };
  });
  return nearestOf(lines);
}

function patternLine(one, corners, place) {
  if (!one.row[0] && !one.row[1]) return "";
  const ends = chord({ value: one.offset, a: one.row }, [0, 0], corners);
  return ends ? `M${outline(ends, place)}` : "";
}

function drawDistances({ lesson, data, wanted, place, unit, corners, seen, lower, region, at }) {
  const { shape } = lesson;
  const foot = (one) => [seen.u[0] - (one.value / one.size ** 2) * one.a[0], seen.u[1] - (one.value / one.size ** 2) * one.a[1]];
  const spokes = [...(wanted.has("face-spokes") ? seen.faces : []), ...(wanted.has("rival-spokes") ? seen.planes.filter((one) => one.size > 0) : [])];
  const closest = nearestOf(spokes);
  show(shape.spokes, spokes.length > 0);
  shape.spokes.setAttribute("d", spokes.map((one) => `M${outline([seen.u, foot(one)], place)}`).join(""));
  stroke(shape.nearest, closest && Number.isFinite(closest.distance) ? [seen.u, foot(closest)] : null, place, true);
  setAll(shape.nearest, { stroke: data.look.text }); // blue is for the radius of the blue circle alone
  const inLower = wanted.has("lower-decision");
  ring(shape.circle, at, seen.radius * unit, wanted.has("circle"));
  ring(shape.exact, at, (inLower ? lower : seen).exact.distance * unit, wanted.has("exact"));
  ring(shape.own, at, lower.radius * unit, wanted.has("own"));
  ring(shape.mix, at, (lower.boundary ?? 0) * unit, wanted.has("mix"));
  const truth = (inLower ? lower : seen).exact;
  stroke(shape.truth, truth.point && [seen.u, truth.point], place, wanted.has("exact"));
  stroke(shape.limit, faceEnds(seen, region), place, wanted.has("circle"));
  if (wanted.has("circle") && seen.foot) {
    setAll(shape.nearest, { stroke: data.look.lower });
    stroke(shape.nearest, [seen.u, seen.foot], place, true);
  }
  const phantom = wanted.has("patterns") ? nearestPattern(data.patterns, seen.u) : null;
  show(shape.phantom, Boolean(phantom));
  if (!phantom) return;
  shape.phantom.setAttribute("d", patternLine(phantom, corners, place));
  setAll(shape.nearest, { stroke: data.look.second });
  stroke(shape.nearest, [seen.u, foot(phantom)], place, true);
}

// A letter at the end of each line, filled while its neuron is on; + and - tell the sides.
function drawBadges(scene) {
  const { lesson, data, wanted, place, seen } = scene;
  const { shape, side } = lesson;
  const r = data.look.font * 0.75;
  const state = JSON.stringify([side, seen.rows.slice(0, 2).map((rows) => rows.filter((_, i) => i % 3 === 0).map((z) => z > 0)), wanted.has("straight") && seen.u]);
  if (lesson.badged === state && lesson.badgedData === data) return;
  [lesson.badged, lesson.badgedData] = [state, data];
  shape.badges.replaceChildren();
  for (const line of data.bent) {
    const straight = line.layer === "second" && wanted.has("straight");
    const end = straight ? straightEnd(scene, line) : line.badge;
    if ((!wanted.has(line.layer) && !straight) || !end) continue;
    const on = seen.rows[line.layer === "first" ? 0 : 1][3 * line.neuron] > 0;
    const colour = line.layer === "first" ? data.look.first : data.look.second;
    const spot = place(end).map((v) => Math.min(side - r - 3, Math.max(r + 3, v)));
    const filled = on && wanted.has("signs");
    shape.badges.append(svgNode("circle", { cx: spot[0], cy: spot[1], r, fill: filled ? colour : data.look.background, stroke: colour, "stroke-width": data.look.thin }));
    shape.badges.append(label(line.name, spot[0], spot[1], filled ? data.look.onColour[line.layer] : data.look.text, data.look, "middle"));
    if (wanted.has("sides") && line.layer === "first") drawSides(shape.badges, line, place, data.look, r);
  }
}

// Where the straight line of a neuron of layer 2, as u's piece has it, leaves the picture.
function straightEnd({ seen, corners }, line) {
  const face = seen.faces.find((one) => one.layer === 2 && one.neuron === line.neuron);
  const ends = face && chord(face, seen.u, corners);
  return ends && ends[0][0] < ends[1][0] ? ends[0] : ends?.[1];
}

function drawSides(group, line, place, look, r) {
  const size = Math.hypot(...line.row);
  const way = [line.row[0] / size, -line.row[1] / size];
  const middle = place(line.middle);
  for (const side of [1, -1]) {
    const spot = [middle[0] + way[0] * side * r * 1.15, middle[1] + way[1] * side * r * 1.15];
    group.append(label(side > 0 ? "+" : "−", spot[0], spot[1], look.text, look, "middle", 1.15));
  }
}

function label(text, x, y, colour, look, anchor, size = 1) {
  const node = svgNode("text", { x, y, fill: colour, "font-size": look.font * size, "font-weight": 600, "text-anchor": anchor, "dominant-baseline": "central" });
  node.textContent = text;
  return node;
}

function drawWords({ lesson, data, wanted, place, unit, seen, lower, at }) {
  const { shape, side } = lesson;
  shape.words.replaceChildren();
  const halo = (text, x, y, colour) => {
    const half = text.length * data.look.font * 0.28; // about half the word's width, without asking for the layout
    const within = (v, room) => Math.min(side - room, Math.max(room, v));
    const node = label(text, within(x, half + 6), within(y, 12), colour, data.look, "middle");
    setAll(node, { stroke: data.look.background, "stroke-width": 4, "paint-order": "stroke", "stroke-linejoin": "round" });
    shape.words.append(node);
  };
  if (wanted.has("tints")) for (const one of data.names) halo(one.text, ...place(one.place), data.look.text);
  const inLower = wanted.has("lower-decision");
  const above = (radius) => at[1] - Math.min(radius, 9) * unit - data.look.font * 0.7;
  const below = (radius) => at[1] + Math.min(radius, 9) * unit + data.look.font * 0.8;
  if (wanted.has("circle") && seen.radius > 0) halo("safe", at[0], below(seen.radius), data.look.lower);
  if (wanted.has("own") && lower.radius > 0) halo("Theorem 3", at[0], below(lower.radius), data.look.lower);
  if (wanted.has("mix") && lower.boundary > 0) halo("Theorem 4", at[0], at[1] + data.look.font * 1.55, data.look.lower);
  const truth = (inLower ? lower : seen).exact.distance;
  if (wanted.has("exact") && Number.isFinite(truth) && truth > 0) halo("true distance", at[0], above(truth), data.look.exact);
}

function paintLesson(lesson) {
  const { shape, data } = lesson;
  const { look } = data;
  const round = { "stroke-linecap": "round", "stroke-linejoin": "round" };
  setAll(lesson.ground, { fill: look.background, stroke: look.grid, "stroke-width": look.thin });
  setAll(shape.piece, { fill: look.face, "fill-opacity": 0.22 });
  setAll(shape.region, { fill: look.region, "fill-opacity": 0.3, stroke: look.text, "stroke-width": look.bold, ...round });
  setAll(shape.decision, { stroke: look.text, "stroke-width": look.bold * 1.2, ...round });
  setAll(shape.first, { stroke: look.first, "stroke-width": look.thin });
  setAll(shape.second, { stroke: look.second, "stroke-width": look.bold, ...round });
  setAll(shape.beyond, { stroke: look.second, "stroke-width": look.thin, "stroke-dasharray": "2 6", ...round });
  setAll(shape.inside, { stroke: look.second, "stroke-width": look.bold, ...round });
  setAll(shape.extension, { stroke: look.text, "stroke-width": look.bold, "stroke-dasharray": "1 8", ...round });
  setAll(shape.patterns, { stroke: look.second, "stroke-width": look.thin });
  setAll(shape.phantom, { stroke: look.second, "stroke-width": look.bold * 1.3, "stroke-dasharray": "7 4" });
  setAll(shape.circle, { fill: look.lower, "fill-opacity": 0.22, stroke: look.lower, "stroke-width": look.bold });
  setAll(shape.own, { fill: look.lower, "fill-opacity": 0.12, stroke: look.lower, "stroke-width": look.bold });
  setAll(shape.mix, { fill: look.lower, "fill-opacity": 0.22, stroke: look.lower, "stroke-width": look.bold, "stroke-dasharray": "8 3 2 3" });
  setAll(shape.exact, { stroke: look.exact, "stroke-width": look.bold, "stroke-dasharray": "9 6" });
  setAll(shape.truth, { stroke: look.exact, "stroke-width": look.thin, "stroke-dasharray": "9 6" });
  setAll(shape.spokes, { stroke: look.text, "stroke-width": look.thin, "stroke-dasharray": "4 5" });
  setAll(shape.nearest, { stroke: look.lower, "stroke-width": look.bold, ...round });
  setAll(shape.limit, { stroke: look.lower, "stroke-width": look.bold * 2, ...round });
  setAll(lesson.handle.children[1], { fill: look.text, stroke: look.background, "stroke-width": 2.5 });
  setAll(lesson.handle.lastChild, { fill: look.text, "font-size": look.font * 1.15, "font-weight": 700, "font-style": "italic", stroke: look.background, "stroke-width": 4, "paint-order": "stroke" });
}

// The picture as it stands, as an SVG file.
function saveLesson(lesson) {
  const copy = lesson.svg.cloneNode(true);
  setAll(copy, { xmlns: SVG_NAMESPACE, "font-family": "sans-serif" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
  link.download = "relucert-lesson.svg";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  let lesson = lessons.get(parentElement);
  if (!lesson) {
    lesson = makeLesson(parentElement.querySelector(".lesson"));
    lessons.set(parentElement, lesson);
  }
  lesson.set = setStateValue;
  lesson.trigger = setTriggerValue;
  if (lesson.data?.geometry?.weights !== data.geometry.weights) {
    lesson.geometry = readGeometry(data.geometry);
    lesson.lower = readGeometry(data.lower);
  }
  lesson.data = data;
  if (lesson.seq !== data.seq && !lesson.dragging) lesson.u = data.u.slice(); // Python moved the point
  lesson.seq = data.seq;
  lesson.root.querySelector("button").hidden = data.bare;
  paintLesson(lesson);
  lesson.draw();
  return () => {
    lesson.close();
    lessons.delete(parentElement);
  };
}
