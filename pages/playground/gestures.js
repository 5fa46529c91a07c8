// What wheel and fingers do over the plane: the wheel and a finger scroll the page, Ctrl with the wheel and two fingers
// zoom, as on maps. One passive listener on the figure's parent keeps the rest from plotly, so the figure stays mounted.
const NOTCH = 20; // plotly zooms by exp(delta / 200) and takes no larger delta at once
const MARGIN = 0.08; // of the view, which u keeps from its rim

// Where a zoom by `factor` (below 1: nearer) must be centred so that u, at the share q of the axis, stays in view; p is
// where it was asked for. Who has moved u out of view keeps that.
function centreOfZoom(p, q, factor) {
  if (q < 0 || q > 1 || factor === 1) return p;
  const margin = Math.min(MARGIN, q, 1 - q);
  const after = Math.min(1 - margin, Math.max(margin, p + (q - p) / factor));
  return (after - q / factor) / (1 - 1 / factor);
}

// host: the parent of the chart. picker: gives `chart`, `shares()` of u on both axes, and `hint()`.
function guardGestures(host, picker) {
  const end = new AbortController();
  const plane = () => picker.chart?.querySelector(".nsewdrag");
  const zoom = (delta, x, y) => {
    const event = new WheelEvent("wheel", { deltaY: delta, clientX: x, clientY: y, ctrlKey: true, bubbles: true, cancelable: true });
    plane()?.dispatchEvent(event);
  };
  const onWheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) {
      event.stopPropagation();
      picker.hint();
      return;
    }
    const box = plane()?.getBoundingClientRect();
    const shares = picker.shares();
    if (!box?.width || !shares) return;
    const factor = Math.exp(Math.min(NOTCH, Math.max(-NOTCH, event.deltaY)) / 200);
    const x = box.left + box.width * centreOfZoom((event.clientX - box.left) / box.width, shares[0], factor);
    const y = box.top + box.height * centreOfZoom((event.clientY - box.top) / box.height, shares[1], factor);
    Object.defineProperties(event, { clientX: { value: x }, clientY: { value: y } }); // plotly zooms about these
  };
  let apart = 0;
  const onTouch = (event) => {
    if (event.target.closest?.(".relucert-handle, .modebar")) return;
    event.stopPropagation();
    if (event.touches.length !== 2) {
      apart = 0;
      return;
    }
    const [a, b] = event.touches;
    const now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    const delta = apart ? -200 * Math.log(now / apart) : 0;
    if (!apart || Math.abs(delta) >= 2) apart = now;
    if (Math.abs(delta) < 2) return;
    const turns = Math.ceil(Math.abs(delta) / NOTCH); // quick fingers go farther than one notch at a time
    for (let i = 0; i < turns; i++) zoom(delta / turns, (a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2);
  };
  // The buttons zoom about the middle of the view; about u they cannot lose it.
  const onButton = (event) => {
    const button = event.target.closest?.(".modebar-btn[data-attr='zoom']");
    const box = plane()?.getBoundingClientRect();
    const shares = picker.shares();
    if (!button || !box || !shares?.every((share) => share >= 0 && share <= 1)) return;
    event.stopPropagation();
    const delta = button.dataset.val === "in" ? -NOTCH : NOTCH;
    for (let i = 0; i < 7; i++) zoom(delta, box.left + box.width * shares[0], box.top + box.height * shares[1]); // doubles
  };
  const options = { capture: true, passive: true, signal: end.signal };
  host.addEventListener("wheel", onWheel, options);
  for (const kind of ["touchstart", "touchmove", "touchend", "touchcancel"]) host.addEventListener(kind, onTouch, options);
  host.addEventListener("click", onButton, options);
  return () => end.abort();
}
