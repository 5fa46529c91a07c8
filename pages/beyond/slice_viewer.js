// A slice through the space of digits: exact picture, circles, digits at the corners and under the pointer.
// The picture is drawn once; what follows the pointer is drawn on a second canvas over it.
const instances = new WeakMap();
const STEPS = 65535;
const PIXELS = 28;
const ZOOM_MEMORY = 1500; // milliseconds after which the picture's own zoom counts again
const CORNER = 0.135; // of the picture's side

function bytesOf(text, Kind) {
  const raw = atob(text || "");
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Kind(bytes.buffer);
}

function element(name, className, parent) {
  const made = document.createElement(name);
  if (className) made.className = className;
  parent.append(made);
  return made;
}

function digitAt(vectors, s, t) {
  const size = PIXELS * PIXELS;
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) values[i] = vectors[i] + s * vectors[size + i] + t * vectors[2 * size + i];
  return values;
}

function paintDigit(context, values) {
  const image = context.createImageData(PIXELS, PIXELS);
  for (let i = 0; i < values.length; i++) {
    const level = Math.round(255 * Math.min(1, Math.max(0, values[i])));
    image.data.set([level, level, level, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

function smallDigit(vectors, s, t) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = PIXELS;
  paintDigit(canvas.getContext("2d"), digitAt(vectors, s, t));
  return canvas;
}

function build(state, parent) {
  const root = parent.querySelector(".slice");
  root.replaceChildren();
  const plane = element("div", "plane", root);
  state.root = root;
  state.base = element("canvas", "", plane);
  state.over = element("canvas", "over", plane);
  state.over.tabIndex = 0;
  state.over.setAttribute("role", "img");
  const side = element("div", "side", root);
  state.aside = side;
  state.digit = element("canvas", "digit", side);
  state.digit.width = state.digit.height = PIXELS;
  state.digit.setAttribute("role", "img");
  state.digit.setAttribute("aria-label", "The digit at this place of the plane");
  state.words = element("div", "words", side);
  state.words.setAttribute("aria-live", "polite");
  state.grow = element("div", "grow", side);
  state.legend = element("ul", "", side);
}

function sideLength(state) {
  const room = state.root.clientWidth || 600;
  const beside = state.data.aside && room > 720 ? room - 240 : room;
  return Math.max(240, Math.min(beside, state.data.tallest));
}

function toPixel(state, s, t) {
  const half = state.data.half;
  return [((s + half) / (2 * half)) * state.side, ((half - t) / (2 * half)) * state.side];
}

function strokeLines(context, numbers, side, colour, width) {
  const scale = side / STEPS;
  context.beginPath();
  for (let i = 0; i + 3 < numbers.length; i += 4) {
    context.moveTo(numbers[i] * scale, side - numbers[i + 1] * scale);
    context.lineTo(numbers[i + 2] * scale, side - numbers[i + 3] * scale);
  }
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}

function drawBase(state) {
  const { data, side } = state;
  const ratio = window.devicePixelRatio || 1;
  for (const canvas of [state.base, state.over]) {
    canvas.width = canvas.height = Math.round(side * ratio);
    canvas.style.width = canvas.style.height = `${side}px`;
  }
  const context = state.base.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.imageSmoothingEnabled = false;
  if (state.image.complete && state.image.naturalWidth) context.drawImage(state.image, 0, 0, side, side);
  strokeLines(context, state.edges, side, data.look.face, data.edgeWidth);
  if (data.grow) drawGrowth(state, context);
  strokeLines(context, state.segments, side, data.look.boundary, 1.3 * data.look.line);
  context.imageSmoothingEnabled = false;
  if (state.vectors) drawCorners(state, context);
  drawCircles(state, context);
  drawSpots(state, context);
  drawScale(state, context);
}

function drawCorners(state, context) {
  const { side } = state;
  const half = state.data.half;
  const size = CORNER * side;
  for (const [x, y] of [[-1, -1], [1, -1], [-1, 1], [1, 1]]) {
    const [left, top] = [x < 0 ? 4 : side - size - 4, y > 0 ? 4 : side - size - 4];
    context.drawImage(smallDigit(state.vectors, x * half, y * half), left, top, size, size);
    context.strokeStyle = state.data.look.background;
    context.lineWidth = 1.5;
    context.strokeRect(left, top, size, size);
  }
}

function drawCircles(state, context) {
  const { side } = state;
  for (const circle of state.data.circles) {
    const radius = (circle.radius / (2 * state.data.half)) * side;
    if (radius < 0.7) continue;
    for (const [colour, width] of [[state.data.look.background, 4.6], [circle.colour, 3]]) {
      context.beginPath();
      context.setLineDash(width === 3 ? circle.dash : []);
      context.arc(side / 2, side / 2, radius, 0, 2 * Math.PI);
      context.strokeStyle = colour;
      context.lineWidth = Math.max(width, width === 3 ? state.data.look.line : 0);
      context.stroke();
    }
  }
  context.setLineDash([]);
}

function label(context, look, text, x, y, align) {
  context.font = `${look.font}px ${look.family}`;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = look.background;
  context.strokeText(text, x, y);
  context.fillStyle = look.text;
  context.fillText(text, x, y);
}

function drawSpots(state, context) {
  const { data, side } = state;
  for (const spot of data.spots) {
    const [x, y] = toPixel(state, spot.s, spot.t);
    if (x < 0 || y < 0 || x > side || y > side) continue;
    context.beginPath();
    context.arc(x, y, 5, 0, 2 * Math.PI);
    context.fillStyle = data.look.text;
    context.fill();
    context.strokeStyle = data.look.background;
    context.lineWidth = 1.5;
    context.stroke();
    const left = spot.s < 0 || x > 0.72 * side;
    context.font = `${data.look.font}px ${data.look.family}`;
    const wide = context.measureText(spot.words).width;
    const start = left ? x - 9 - wide : x + 9;
    label(context, data.look, spot.words, Math.max(4, Math.min(side - wide - 4, start)), y - 14, "left");
  }
}

// A ruler at the foot: how long a distance is in this plane.
function drawScale(state, context) {
  const { data, side } = state;
  const target = data.half / 2;
  const power = 10 ** Math.floor(Math.log10(target));
  const length = [5, 2, 1].map((n) => n * power).find((n) => n <= target) || power;
  const pixels = (length / (2 * data.half)) * side;
  const [x, y] = [side / 2 - pixels / 2, side - 12];
  for (const [colour, width] of [[data.look.background, 6], [data.look.text, 2.5]]) {
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + pixels, y);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
  label(context, data.look, `${Number(length.toPrecision(2))} in this plane`, side / 2, y - data.look.font * 0.85, "center");
}

function drawOver(state) {
  const { side, data } = state;
  const ratio = window.devicePixelRatio || 1;
  const context = state.over.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, side, side);
  if (!state.pointer) return;
  const [x, y] = toPixel(state, ...state.pointer);
  for (const [colour, width] of [[data.look.background, 4], [data.look.text, 1.5]]) {
    context.beginPath();
    context.moveTo(x - 9, y);
    context.lineTo(x + 9, y);
    context.moveTo(x, y - 9);
    context.lineTo(x, y + 9);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
}

// The explored polyhedra that the ball has reached, and the ball; under the boundary, circles and names.
function drawGrowth(state, context) {
  const { data } = state;
  let begin = 0;
  let reached = 0;
  context.beginPath();
  for (let i = 0; i < data.grow.sizes.length; i++) {
    const count = data.grow.sizes[i];
    if (data.grow.distances[i] <= state.radius) {
      reached++;
      for (let k = 0; k < count; k++) {
        const at = toPixel(state, state.corners[2 * (begin + k)], state.corners[2 * (begin + k) + 1]);
        if (k === 0) context.moveTo(...at);
        else context.lineTo(...at);
      }
      context.closePath();
    }
    begin += count;
  }
  context.globalAlpha = 0.5;
  context.fillStyle = data.look.region;
  context.fill();
  context.globalAlpha = 1;
  context.strokeStyle = data.look.text;
  context.lineWidth = 1;
  context.stroke();
  const [x, y] = toPixel(state, 0, 0);
  context.beginPath();
  context.arc(x, y, (state.radius / (2 * data.half)) * state.side, 0, 2 * Math.PI);
  context.strokeStyle = data.look.lower;
  context.lineWidth = Math.max(3, data.look.line);
  context.stroke();
  state.count.textContent = `The ball of ${state.radius.toPrecision(3)} reaches ${reached} of the ${data.grow.shown} polyhedra in this picture`;
}

function tell(state, inside) {
  const { data } = state;
  const [s, t] = state.pointer || [0, 0];
  if (state.vectors) paintDigit(state.digit.getContext("2d"), digitAt(state.vectors, s, t));
  const n = data.side;
  const column = Math.min(n - 1, Math.max(0, Math.floor(((s + data.half) / (2 * data.half)) * n)));
  const row = Math.min(n - 1, Math.max(0, Math.floor(((t + data.half) / (2 * data.half)) * n)));
  const name = data.names[state.classes[row * n + column]] ?? "?";
  const far = Math.hypot(s, t);
  const where = far === 0 ? data.home : `${Number(far.toPrecision(3))} away in this plane`;
  state.words.textContent = `${inside ? "Under the pointer" : "At the centre"}: ${where}, read as ${name}.`;
}

function follow(state, event) {
  const box = state.over.getBoundingClientRect();
  const half = state.data.half;
  const s = ((event.clientX - box.left) / box.width) * 2 * half - half;
  const t = half - ((event.clientY - box.top) / box.height) * 2 * half;
  state.pointer = [Math.max(-half, Math.min(half, s)), Math.max(-half, Math.min(half, t))];
  drawOver(state);
  tell(state, true);
}

// Which zoom is asked for, not by how much it changes: of quick steps Python may see the last one alone.
function zoomTo(state, step) {
  const { zoom, zooms } = state.data;
  const now = performance.now();
  const from = now - state.asked.at < ZOOM_MEMORY ? state.asked.zoom : zoom;
  const next = Math.max(0, Math.min(zooms - 1, from + step));
  state.asked = { zoom: next, at: now };
  state.send("zoom", next);
}

function listen(state) {
  const { over } = state;
  over.onpointermove = (event) => follow(state, event);
  over.onpointerdown = (event) => follow(state, event);
  over.onclick = (event) => {
    follow(state, event);
    if (state.data.clickable) state.send("spot", state.pointer);
  };
  over.onpointerleave = () => {
    state.pointer = null;
    drawOver(state);
    tell(state, false);
  };
  over.onkeydown = (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const half = state.data.half;
    if (event.key === "+" || event.key === "-") {
      zoomTo(state, event.key === "+" ? -1 : 1);
    } else if (moves[event.key]) {
      const step = half / (event.shiftKey ? 100 : 20);
      const [s, t] = state.pointer || [0, 0];
      const bound = (v) => Math.max(-half, Math.min(half, v));
      state.pointer = [bound(s + moves[event.key][0] * step), bound(t + moves[event.key][1] * step)];
      drawOver(state);
      tell(state, true);
    } else return;
    event.preventDefault();
  };
}

function legend(state) {
  const { data } = state;
  state.legend.replaceChildren();
  for (const item of data.legend) {
    const line = element("li", "", state.legend);
    const shape = item.kind === "area"
      ? `<rect x="2" y="2" width="26" height="12" fill="${item.colour}"/>`
      : `<line x1="1" y1="8" x2="29" y2="8" stroke="${item.colour}" stroke-width="${item.width}" stroke-dasharray="${item.dash || "none"}"/>`;
    line.innerHTML = `<svg width="30" height="16" aria-hidden="true">${shape}</svg><span></span>`;
    line.lastChild.textContent = item.words;
  }
}

// The slider that lets the ball grow from nothing to what is proved; played once, unless motion is unwelcome.
function growth(state) {
  const { data } = state;
  cancelAnimationFrame(state.frame);
  state.grow.replaceChildren();
  if (!data.grow) return;
  state.corners = bytesOf(data.grow.corners, Float32Array);
  const end = data.grow.end;
  state.radius = end;
  const play = element("button", "", state.grow);
  play.type = "button";
  play.textContent = "Play";
  const range = element("input", "", state.grow);
  Object.assign(range, { type: "range", min: "0", max: "1000", step: "1", value: "1000" });
  range.setAttribute("aria-label", "Radius of the ball");
  state.count = element("output", "", state.grow);
  const show = (share) => {
    state.radius = share * end;
    drawBase(state);
    drawOver(state);
  };
  range.oninput = () => {
    cancelAnimationFrame(state.frame);
    show(range.value / 1000);
  };
  play.onclick = () => {
    cancelAnimationFrame(state.frame);
    const begun = performance.now();
    const step = (now) => {
      const share = Math.min(1, Math.max(0, (now - begun) / 4000));
      range.value = String(Math.round(1000 * share));
      show(share);
      if (share < 1 && state.over.isConnected) state.frame = requestAnimationFrame(step);
    };
    state.frame = requestAnimationFrame(step);
  };
}

function redraw(state) {
  state.side = sideLength(state);
  drawBase(state);
  drawOver(state);
}

export default function ({ data, parentElement, setTriggerValue }) {
  let state = instances.get(parentElement);
  if (!state) {
    state = { pointer: null, frame: 0, asked: { zoom: 0, at: -Infinity } };
    instances.set(parentElement, state);
    build(state, parentElement);
    listen(state);
    state.watch = new ResizeObserver(() => {
      if (sideLength(state) !== state.side) redraw(state);
    });
    state.watch.observe(state.root);
  }
  state.send = (name, value) => setTriggerValue(name, value);
  const fresh = state.stamp !== data.stamp;
  state.data = data;
  if (fresh) {
    state.stamp = data.stamp;
    state.pointer = null;
    state.edges = bytesOf(data.edges, Uint16Array);
    state.segments = bytesOf(data.segments, Uint16Array);
    state.classes = bytesOf(data.classes, Uint8Array);
    state.vectors = data.vectors ? bytesOf(data.vectors, Float32Array) : null;
    state.image = new Image();
    state.image.onload = () => redraw(state);
    state.image.src = data.picture;
    state.digit.style.display = state.vectors ? "" : "none";
    growth(state);
  }
  state.aside.style.display = data.aside ? "" : "none";
  state.words.style.fontSize = state.legend.style.fontSize = `${data.look.font}px`;
  state.grow.style.fontSize = `${data.look.font}px`;
  state.over.setAttribute("aria-label", data.alt);
  legend(state);
  redraw(state);
  tell(state, false);
  return () => {
    state.watch.disconnect();
    cancelAnimationFrame(state.frame);
    instances.delete(parentElement);
  };
}
