// A page of its own with one plane: the picture as it was on the screen, and a point u that can be dragged through it.
// `PLANE` holds what pages/playground/alone.py wrote; the functions come from plane_core, plane_draw, legend and live.
const SIDE = 700;

// Every run of numbers between gaps (NaN) as one piece of a path.
function tracePath(xy, place) {
  let path = "";
  let open = false;
  for (let i = 0; i < xy.length; i += 2) {
    if (Number.isNaN(xy[i])) {
      open = false;
      continue;
    }
    const [x, y] = place([xy[i], xy[i + 1]]);
    path += `${open ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`;
    open = true;
  }
  return path;
}

function drawTrace(group, trace, place) {
  const xy = decodeArray(trace.xy, Float32Array);
  if (trace.kind === "fill") group.append(svgNode("path", { d: tracePath(xy, place), fill: trace.colour, "fill-rule": "evenodd" }));
  if (trace.kind === "line") group.append(svgNode("path", { d: tracePath(xy, place), fill: "none", stroke: trace.colour, "stroke-width": trace.width, "stroke-opacity": trace.opacity }));
  for (let i = 0; trace.kind === "points" && i < xy.length; i += 2) {
    const [x, y] = place([xy[i], xy[i + 1]]);
    group.append(svgNode("path", { d: SYMBOLS[trace.symbol] ?? SYMBOLS.circle, transform: `translate(${x.toFixed(1)},${y.toFixed(1)}) scale(0.8)`, fill: trace.colour }));
  }
}

function planePage(data) {
  const [x0, x1, y0, y1] = data.view;
  const unit = SIDE / Math.max(x1 - x0, y1 - y0);
  const place = (p) => [(p[0] - x0) * unit, (y1 - p[1]) * unit];
  const [width, height] = [(x1 - x0) * unit, (y1 - y0) * unit];
  const svg = document.querySelector("svg.plane");
  const base = svgNode("g");
  const overlay = makeOverlay();
  const legend = svgNode("svg", { y: height + 10 });
  const frame = svgNode("svg", { width, height, overflow: "hidden" });
  frame.append(base, overlay.group, overlay.handle);
  svg.append(frame, legend);
  for (const trace of data.traces) drawTrace(base, trace, place);
  paintOverlay(overlay, data.look);
  const tall = drawLegend(legend, data.legend, width, data.look, new Set(data.show));
  svg.setAttribute("viewBox", `0 0 ${width} ${height + tall + 10}`);
  const geometry = readGeometry(data.geometry);
  const panel = document.querySelector(".live");
  let u = data.u;
  const draw = () => {
    const seen = lookAt(geometry, u);
    drawOverlay(overlay, seen, place, data.view, new Set(data.show));
    fillPanel(panel, seen, data.sentences);
    const home = u[0] === data.u[0] && u[1] === data.u[1];
    document.querySelector(".certified").hidden = !home;
    document.querySelector(".preview").hidden = home;
    overlay.handle.setAttribute("aria-label", `The point u at ${u.map((v) => v.toFixed(3)).join(", ")}. Arrow keys move it.`);
  };
  const move = (p) => {
    u = [Math.min(x1, Math.max(x0, p[0])), Math.min(y1, Math.max(y0, p[1]))];
    draw();
  };
  const under = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [x0 + at.x / unit, y1 - at.y / unit];
  };
  overlay.handle.onpointerdown = (event) => {
    event.preventDefault();
    overlay.handle.setPointerCapture(event.pointerId);
    overlay.handle.focus({ preventScroll: true });
    overlay.handle.onpointermove = (moved) => move(under(moved));
  };
  overlay.handle.onpointerup = overlay.handle.onpointercancel = () => { overlay.handle.onpointermove = null; };
  overlay.handle.onclick = (event) => event.stopPropagation();
  frame.onclick = (event) => move(under(event));
  overlay.handle.onkeydown = (event) => {
    const step = arrowStep(event, x1 - x0);
    if (!step) return;
    event.preventDefault();
    move([u[0] + step[0], u[1] + step[1]]);
  };
  draw();
}

planePage(PLANE);
