// Points drawn by strokes: in the mode "draw" a pointer that is held down leaves points along its way, which are sent
// together when it is let go. Plotly hears nothing of it, so that the plane does not move under the hand.
const APART = 14; // pixels between two points of a stroke
const LONGEST_STROKE = 150; // points; Python takes no more at once

// host: the parent of the chart. picker: gives `data`, `svg`, `under(event)` as coordinates, and `trigger`.
function listenForStrokes(host, picker) {
  const end = new AbortController();
  let way = null;
  const drawing = (event) => picker.data.mode === "draw" && event.target.closest?.(".nsewdrag");
  const leave = (event) => {
    const last = way.at(-1);
    const near = last && Math.hypot(event.clientX - last.x, event.clientY - last.y) < APART;
    if (near || way.length >= LONGEST_STROKE) return;
    way.push({ x: event.clientX, y: event.clientY, at: picker.under(event) });
    const box = picker.svg.getBoundingClientRect();
    const look = picker.data.look;
    const colour = look.classes[picker.data.ink % look.classes.length];
    picker.svg.append(svgNode("circle", { class: "relucert-stroke", cx: event.clientX - box.left, cy: event.clientY - box.top, r: 4, fill: colour, stroke: look.background }));
  };
  const options = { capture: true, signal: end.signal };
  const down = (event) => {
    if (!drawing(event) || !event.isPrimary) return;
    event.stopPropagation();
    way = [];
    event.target.setPointerCapture?.(event.pointerId);
    leave(event);
  };
  const up = () => {
    if (!way) return;
    picker.trigger("stroke", way.flatMap((one) => one.at.map((v) => +v.toFixed(4))));
    way = null;
    const dots = [...picker.svg.querySelectorAll(".relucert-stroke")];
    setTimeout(() => dots.forEach((dot) => dot.remove()), 3000); // the figure shows them by then
  };
  host.addEventListener("pointerdown", down, options);
  host.addEventListener("pointermove", (event) => way && leave(event), options);
  for (const kind of ["pointerup", "pointercancel"]) host.addEventListener(kind, up, options);
  for (const kind of ["mousedown", "click"]) host.addEventListener(kind, (event) => drawing(event) && event.stopPropagation(), options);
  return () => end.abort();
}
