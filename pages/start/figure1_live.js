// The first page's Figure 1: a small network's plane as plain SVG, with a point to drag. Python certifies on release.
const figures = new WeakMap();
const [WIDTH, HEIGHT, STEPS] = [720, 430, 65535];

function shapesOf(frame) {
  const sizes = decodeArray(frame.sizes, Uint16Array);
  const corners = decodeArray(frame.corners, Uint16Array);
  const ends = decodeArray(frame.ends, Uint16Array);
  const [x0, x1, y0, y1] = frame.box;
  const point = (array, i) => [x0 + ((x1 - x0) * array[2 * i]) / STEPS, y0 + ((y1 - y0) * array[2 * i + 1]) / STEPS];
  const classes = decodeArray(frame.classes, Uint8Array);
  const cells = [];
  let at = 0;
  sizes.forEach((size, cell) => {
    cells.push([classes[cell], Array.from({ length: size }, (_, k) => point(corners, at + k))]);
    at += size;
  });
  const segments = [];
  for (let s = 0; 4 * s < ends.length; s++) segments.push([point(ends, 2 * s), point(ends, 2 * s + 1)]);
  return { cells, segments };
}

function drawBase(figure) {
  const { look, frame } = figure.data;
  const { cells, segments } = shapesOf(frame);
  const nodes = cells.map(([name, corners]) => svgNode("path", {
    d: `M${outline(corners, figure.place)}Z`, fill: look.classes[name], "fill-opacity": look.tint, stroke: look.edge, "stroke-width": look.line * 0.4,
  }));
  const d = segments.map((ends) => `M${outline(ends, figure.place)}`).join("");
  nodes.push(svgNode("path", { d, fill: "none", stroke: look.boundary, "stroke-width": look.line * 1.5, "stroke-linecap": "round" }));
  figure.base.replaceChildren(...nodes);
}

// The words beside u, the circle and what limits it: clear of u, of the line between them and of each other.
function drawLabels(figure, seen, centre) {
  const size = (figure.data.look.font + 1) * figure.zoom;
  const unit = figure.scale * seen.radius;
  const foot = seen.foot && figure.place(seen.foot);
  const around = ([x, y], reach) => [x - reach, y - reach, x + reach, y + reach];
  const taken = [around(centre, 15 * figure.zoom)];
  const truth = seen.exact.point && figure.place(seen.exact.point);
  for (const end of [foot, truth]) {
    for (let i = 1; end && i <= 8; i++) taken.push(around([0, 1].map((k) => centre[k] + ((end[k] - centre[k]) * i) / 8), 5 * figure.zoom));
  }
  const away = foot ? [0, 1].map((k) => foot[k] + (foot[k] - centre[k]) * 0.15) : centre;
  const behind = foot ? [0, 1].map((k) => centre[k] - (foot[k] - centre[k]) * 0.55) : centre;
  const names = [["u", "u", centre], ["face", seen.kind === "face" ? "face" : "boundary", foot && away], ["circle", "safe radius", unit > 40 ? behind : null]];
  const wanted = names.filter(([, , spot]) => spot);
  const boxes = placeLabels(
    wanted.map(([, text, spot]) => ({ spot, width: text.length * size * 0.52 + 8, height: size * 1.3 })), taken, [4, 4, WIDTH - 4, HEIGHT - 4],
  );
  for (const [name, text] of names) {
    const box = boxes[wanted.findIndex(([one]) => one === name)];
    const node = (figure.labels[name] ??= figure.over.appendChild(svgNode("text", { "text-anchor": "middle", class: `label-${name}` })));
    show(node, Boolean(box));
    if (!box) continue;
    node.style.fontSize = `${size}px`;
    setAll(node, { x: (box[0] + box[2]) / 2, y: box[3] - size * 0.32 });
    node.textContent = text;
  }
}

function words(seen, moving) {
  const preview = moving ? ` Preview: ${shortNumber(seen.radius)}.` : "";
  if (seen.radius === 0) return `u lies on a face or on the boundary: nothing is certain here.${preview}`;
  if (seen.kind === "plane") return `(a) The boundary is the nearest thing: the safe radius is exact.${preview}`;
  return `(b) A face of the region is nearer than the boundary (dashed circle): the safe radius is a guarantee.${preview}`;
}

function redraw(figure) {
  const seen = lookAt(figure.geometry, figure.u);
  figure.zoom = Math.min(2.2, Math.max(1, WIDTH / (figure.svg.clientWidth || WIDTH))); // words and handle keep their size on a phone
  drawOverlay(figure.overlay, seen, figure.place, figure.frame, new Set(["region", "circle", "exact", "extension"]));
  const centre = figure.place(figure.u);
  figure.overlay.handle.setAttribute("transform", `translate(${centre[0]},${centre[1]}) scale(${figure.zoom})`);
  drawLabels(figure, seen, centre);
  figure.words.textContent = words(seen, figure.moving);
  figure.overlay.handle.setAttribute("aria-label", `The input u at ${figure.u.map((v) => v.toFixed(2)).join(", ")}. ${words(seen, false)} Arrow keys move it.`);
  for (const name of ["a", "b"]) figure.buttons[name].setAttribute("aria-pressed", String((seen.kind === "plane") === (name === "a")));
}

function makeFigure(root, data) {
  const svg = root.querySelector("svg");
  const scale = WIDTH / (data.frame.box[1] - data.frame.box[0]);
  const figure = { svg, scale, labels: {}, base: root.querySelector(".base"), over: root.querySelector(".over"), words: root.querySelector("p") };
  figure.place = (p) => [WIDTH / 2 + scale * (p[0] - data.centre[0]), HEIGHT / 2 - scale * (p[1] - data.centre[1])];
  const [halfX, halfY] = [WIDTH / 2 / scale, HEIGHT / 2 / scale];
  figure.frame = [data.centre[0] - halfX, data.centre[0] + halfX, data.centre[1] - halfY, data.centre[1] + halfY];
  const kept = (p) => [0, 1].map((i) => Math.min(figure.frame[2 * i + 1] - 0.05, Math.max(figure.frame[2 * i] + 0.05, p[i])));
  const under = (event) => {
    const box = svg.getBoundingClientRect();
    const ratio = Math.min(box.width / WIDTH, box.height / HEIGHT);
    const [x, y] = [(event.clientX - box.left - box.width / 2) / ratio, (event.clientY - box.top - box.height / 2) / ratio];
    return [data.centre[0] + x / scale, data.centre[1] - y / scale];
  };
  figure.ask = () => {
    if (!figure.waiting) figure.waiting = requestAnimationFrame(() => {
      figure.waiting = 0;
      redraw(figure);
    });
  };
  const move = (p, done) => {
    figure.u = kept(p);
    figure.moving = !done;
    figure.ask();
    if (done) figure.set("u", (figure.u = figure.u.map((v) => +v.toFixed(6))));
  };
  figure.overlay = makeOverlay();
  figure.over.append(figure.overlay.group, figure.overlay.handle);
  const { handle } = figure.overlay;
  let dragging = false;
  handle.onpointerdown = (event) => {
    event.preventDefault();
    event.stopPropagation();
    handle.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    dragging = true;
  };
  handle.onpointermove = (event) => dragging && move(under(event), false);
  handle.onpointerup = handle.onpointercancel = () => {
    if (dragging) move(figure.u, true);
    dragging = false;
  };
  handle.onclick = (event) => event.stopPropagation();
  svg.onclick = (event) => move(under(event), true);
  handle.onkeydown = (event) => {
    const step = arrowStep(event, 2);
    if (!step) return;
    event.preventDefault();
    move([figure.u[0] + step[0], figure.u[1] + step[1]], false);
    clearTimeout(figure.later);
    figure.later = setTimeout(() => move(figure.u, true), 200);
  };
  figure.buttons = { a: root.querySelector(".a"), b: root.querySelector(".b") };
  figure.buttons.a.onclick = () => move(data.points.a, true);
  figure.buttons.b.onclick = () => move(data.points.b, true);
  figure.sizes = new ResizeObserver(() => figure.data && figure.ask());
  figure.sizes.observe(svg);
  return figure;
}

export default function ({ data, parentElement, setStateValue }) {
  let figure = figures.get(parentElement);
  if (!figure) {
    figure = makeFigure(parentElement.querySelector(".live"), data);
    figures.set(parentElement, figure);
    figure.geometry = readGeometry(data.geometry);
  }
  figure.data = data;
  figure.set = setStateValue;
  if (figure.seq !== data.seq) figure.u = data.u.slice(); // Python moved the point
  figure.seq = data.seq;
  paintOverlay(figure.overlay, data.look);
  drawBase(figure);
  redraw(figure);
  return () => {
    clearTimeout(figure.later);
    figure.sizes.disconnect();
    cancelAnimationFrame(figure.waiting);
    figures.delete(parentElement);
  };
}
