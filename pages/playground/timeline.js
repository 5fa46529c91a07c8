// The time slider: draws any moment of a training over the axes of the chart while its handle moves. The figure itself
// follows when the handle is let go, and takes the place of what was drawn here.
const timelines = new WeakMap();
const STEPS = 65535;
const PACE = 90; // milliseconds a moment when playing

function readFrames(data) {
  return {
    ...data,
    sizes: decodeArray(data.sizes, Uint16Array),
    classes: decodeArray(data.classes, Uint8Array),
    corners: decodeArray(data.corners, Uint16Array),
    ends: decodeArray(data.ends, Uint16Array),
    firstCorner: firstCorners(data, decodeArray(data.sizes, Uint16Array)),
  };
}

function firstCorners(data, sizes) {
  const firsts = [];
  let corner = 0;
  for (let cell = 0, frame = 0; frame < data.cells.length; frame++) {
    for (; cell < data.cells[frame]; cell++) corner += sizes[cell];
    firsts.push(corner);
  }
  return firsts;
}

// The network and the boundary of one moment, for the overlay of the point.
function momentOf(frames, index, live) {
  if (!frames.weights.length) return "none";
  const [x0, x1, y0, y1] = frames.box;
  const pieces = [];
  for (let s = frames.segments[index]; s < frames.segments[index + 1]; s++) {
    const [ax, ay, bx, by] = frames.ends.subarray(4 * s, 4 * s + 4);
    const sx = (x1 - x0) / STEPS;
    const sy = (y1 - y0) / STEPS;
    pieces.push(x0 + ax * sx, y0 + ay * sy, (bx - ax) * sx, (by - ay) * sy, 0);
  }
  return { layers: readLayers(frames.widths, decodeArray(frames.weights[index], Float64Array)), pieces, box: frames.box, epoch: frames.epochs[index], live };
}

function makeTimeline(root) {
  const line = { root, frames: null, index: 0, playing: 0, shown: false, canvas: document.createElement("canvas") };
  const [slider, output, play] = ["input", "output", ".play"].map((name) => root.querySelector(name));
  line.canvas.className = "relucert-time";
  line.canvas.style.cssText = "position:absolute;inset:0;pointer-events:none;z-index:5";

  const chart = () => document.querySelector(`.st-key-${line.target} .js-plotly-plot`);
  const hide = () => {
    line.shown = false;
    line.canvas.remove();
  };
  line.hide = hide;
  line.draw = () => {
    const at = chart();
    const full = at?._fullLayout;
    if (!full?.xaxis || !line.frames) return;
    const host = at.querySelector(".svg-container") ?? at;
    if (line.canvas.parentNode !== host) host.append(line.canvas);
    line.shown = true;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [host.clientWidth, host.clientHeight];
    if (line.canvas.width !== Math.round(width * ratio) || line.canvas.height !== Math.round(height * ratio)) {
      line.canvas.width = Math.round(width * ratio);
      line.canvas.height = Math.round(height * ratio);
      line.canvas.style.width = `${width}px`;
      line.canvas.style.height = `${height}px`;
    }
    const pen = line.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintFrame(pen, line.frames, line.index, full, line.look);
    if (line.points) paintPoints(pen, line.points, full, line.look);
    pen.restore();
  };
  line.tell = () => {
    output.textContent = `epoch ${line.frames.epochs[line.index]}`;
    slider.setAttribute("aria-valuetext", output.textContent);
  };
  line.go = (index) => {
    line.index = Math.min(Math.max(index, 0), line.frames.epochs.length - 1);
    slider.value = line.index;
    line.tell();
    if (!line.frame) line.frame = requestAnimationFrame(() => {
      line.frame = 0;
      line.draw();
      line.channel.tell("moment", momentOf(line.frames, line.index, line.live || line.playing !== 0));
    });
  };
  line.commit = () => {
    clearTimeout(line.wait);
    line.wait = setTimeout(() => {
      line.set("epoch", line.frames.epochs[line.index]);
      line.settle();
    }, 60);
  };
  // The figure shows this very moment: what was drawn here goes, once the browser has painted the figure.
  line.settle = () => {
    const here = () => line.channel.get("answer")?.epoch === line.frames?.epochs[line.index] && !line.playing && !line.live;
    clearTimeout(line.settling);
    line.settling = setTimeout(() => here() && line.channel.tell("moment", null), 300);
  };
  const halt = () => {
    clearInterval(line.playing);
    line.playing = 0;
    play.dataset.on = "0";
    play.setAttribute("aria-label", "Play the training");
  };
  line.halt = halt;
  const to = (index) => {
    halt();
    line.go(index);
    line.commit();
  };
  slider.oninput = () => {
    halt();
    line.go(Number(slider.value));
  };
  slider.onchange = () => line.commit();
  root.querySelector(".start").onclick = () => to(0);
  root.querySelector(".back").onclick = () => to(line.index - 1);
  root.querySelector(".on").onclick = () => to(line.index + 1);
  play.onclick = () => {
    if (line.playing) {
      to(line.index);
      return;
    }
    if (line.index === line.frames.epochs.length - 1) line.go(0);
    play.dataset.on = "1";
    play.setAttribute("aria-label", "Pause");
    line.playing = setInterval(() => {
      line.go(line.index + 1);
      if (line.index === line.frames.epochs.length - 1) to(line.index);
    }, PACE);
  };
  return line;
}

function scales(frames, full) {
  const [x0, x1, y0, y1] = frames.box;
  const ax = full.xaxis._offset + full.xaxis.d2p(x0);
  const ay = full.yaxis._offset + full.yaxis.d2p(y0);
  const bx = full.xaxis._offset + full.xaxis.d2p(x1);
  const by = full.yaxis._offset + full.yaxis.d2p(y1);
  return [ax, (bx - ax) / STEPS, ay, (by - ay) / STEPS];
}

// Class cells with their edges, then the boundary, clipped to the axes.
function paintFrame(pen, frames, index, full, look) {
  const { xaxis, yaxis } = full;
  pen.clearRect(0, 0, 1e5, 1e5);
  pen.save();
  pen.beginPath();
  pen.rect(xaxis._offset, yaxis._offset, xaxis._length, yaxis._length);
  pen.clip();
  pen.fillStyle = look.background;
  pen.fillRect(xaxis._offset, yaxis._offset, xaxis._length, yaxis._length);
  const [ox, sx, oy, sy] = scales(frames, full);
  const paths = new Map();
  let corner = frames.firstCorner[index];
  for (let cell = frames.cells[index]; cell < frames.cells[index + 1]; cell++) {
    const name = frames.classes[cell];
    if (!paths.has(name)) paths.set(name, new Path2D());
    const path = paths.get(name);
    for (let k = 0; k < frames.sizes[cell]; k++, corner++) {
      const x = ox + sx * frames.corners[2 * corner];
      const y = oy + sy * frames.corners[2 * corner + 1];
      if (k) path.lineTo(x, y);
      else path.moveTo(x, y);
    }
    path.closePath();
  }
  pen.strokeStyle = look.edge;
  pen.lineWidth = 0.8;
  for (const [name, path] of paths) {
    pen.fillStyle = look.classes[name % look.classes.length];
    pen.globalAlpha = 0.22;
    pen.fill(path);
    pen.globalAlpha = 0.9;
    pen.stroke(path);
  }
  pen.globalAlpha = 1;
  const boundary = new Path2D();
  for (let s = frames.segments[index]; s < frames.segments[index + 1]; s++) {
    const [ax, ay, bx, by] = frames.ends.subarray(4 * s, 4 * s + 4);
    boundary.moveTo(ox + sx * ax, oy + sy * ay);
    boundary.lineTo(ox + sx * bx, oy + sy * by);
  }
  pen.strokeStyle = look.boundary;
  pen.lineWidth = 1.5 * look.line;
  pen.stroke(boundary);
}

// The data: x, y and class, class by class told apart by colour and by shape.
function paintPoints(pen, points, full, look) {
  for (let i = 0; i < points.length; i += 3) {
    const x = full.xaxis._offset + full.xaxis.d2p(points[i]);
    const y = full.yaxis._offset + full.yaxis.d2p(points[i + 1]);
    pen.fillStyle = look.classes[points[i + 2] % look.classes.length];
    pen.beginPath();
    if (points[i + 2] % 2) pen.rect(x - 2.4, y - 2.4, 4.8, 4.8);
    else pen.arc(x, y, 2.7, 0, 2 * Math.PI);
    pen.fill();
  }
}

export default function ({ data, parentElement, setStateValue }) {
  let line = timelines.get(parentElement);
  if (!line) {
    line = makeTimeline(parentElement.querySelector(".time"));
    timelines.set(parentElement, line);
    line.channel = channel(data.target);
    line.target = data.target;
    line.stops = [
      line.channel.listen("moment", (moment) => moment === null && line.hide()),
      line.channel.listen("answer", () => line.shown && line.settle()),
    ];
  }
  line.set = setStateValue;
  line.look = data.look;
  line.live = data.live;
  line.root.dataset.live = data.live ? "1" : "0";
  line.points = data.points ? decodeArray(data.points, Float32Array) : null;
  if (line.run !== data.run) {
    line.run = data.run;
    line.halt();
    line.frames = readFrames(data.frames);
    const slider = line.root.querySelector("input");
    slider.max = line.frames.epochs.length - 1;
    const wanted = line.frames.epochs.indexOf(data.epoch);
    line.index = wanted < 0 ? line.frames.epochs.length - 1 : wanted;
    slider.value = line.index;
    line.tell();
    if (data.live) line.go(line.index);
  }
  return () => {
    line.halt();
    line.stops.forEach((stop) => stop());
    clearTimeout(line.wait);
    clearTimeout(line.settling);
    cancelAnimationFrame(line.frame); // else it would put the canvas back, over a chart that nobody clears any more
    line.hide();
    line.channel.tell("moment", null);
    timelines.delete(parentElement);
  };
}
