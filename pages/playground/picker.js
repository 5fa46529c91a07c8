// Makes a point on a plotly chart pickable (a click anywhere), draggable and movable by arrow keys, and draws what
// belongs to it over the axes. The figure itself never changes while the point moves, so its zoom is kept.
const pickers = new WeakMap();

function makePicker() {
  const picker = { chart: null, u: null, seen: null, dragging: false, geometry: null, other: null, frame: 0, stops: [] };
  const axes = () => {
    const full = picker.chart?._fullLayout;
    return full?.xaxis && full?.yaxis ? [full.xaxis, full.yaxis] : null;
  };
  const place = (p) => {
    const [x, y] = axes();
    return [x._offset + x.d2p(p[0]), y._offset + y.d2p(p[1])];
  };
  const view = () => {
    const [x, y] = axes();
    return [x.range[0], x.range[1], y.range[0], y.range[1]].map(Number);
  };
  const under = (event) => {
    const [x, y] = axes();
    const box = picker.chart.getBoundingClientRect();
    return [x.p2d(event.clientX - box.left - x._offset), y.p2d(event.clientY - box.top - y._offset)];
  };
  const kept = (p) => p.map((v) => Math.min(picker.data.reach, Math.max(-picker.data.reach, v)));

  picker.draw = () => {
    if (!picker.svg || !picker.u || !axes()) return;
    const [x, y] = axes();
    setAll(picker.window, { x: x._offset, y: y._offset, width: x._length, height: y._length });
    const wanted = new Set(picker.data.show);
    const other = picker.other === "none" ? null : picker.other;
    picker.seen = lookAt(other ?? picker.geometry, picker.u);
    show(picker.overlay.group, picker.other !== "none");
    drawOverlay(picker.overlay, picker.seen, place, view(), wanted);
    drawHover();
    drawAnswer(wanted);
    markStale();
    picker.channel.tell("seen", picker.seen);
    if (!picker.wordsTimer) picker.wordsTimer = setTimeout(() => {
      picker.wordsTimer = 0;
      picker.words.textContent = previewWords(picker.seen);
      picker.overlay?.handle.setAttribute("aria-label", `The point u at ${picker.u.map((v) => v.toFixed(3)).join(", ")}. Arrow keys move it, with Shift in larger steps.`);
    }, 80);
  };
  // Python's words are pale while they speak of another point or another network than the picture.
  const markStale = () => {
    const words = document.querySelector(".st-key-pg_words");
    const answer = picker.channel.get("answer");
    const fresh = answer && !picker.dragging && !picker.other && Math.hypot(answer.u[0] - picker.u[0], answer.u[1] - picker.u[1]) < 1e-6;
    if (words) words.style.opacity = fresh ? "" : "0.35";
  };
  const drawHover = () => {
    const lines = picker.channel.get("hover");
    show(picker.overlay.shape.hover, Boolean(lines?.length));
    if (lines?.length) picker.overlay.shape.hover.setAttribute("d", lines.map((ends) => `M${outline(ends, place)}`).join(""));
  };
  const drawAnswer = (wanted) => {
    const answer = picker.channel.get("answer");
    const fits = answer && !picker.dragging && !picker.other && wanted.has("attacks") && Math.hypot(answer.u[0] - picker.u[0], answer.u[1] - picker.u[1]) < 1e-9;
    show(picker.overlay.shape.marks, Boolean(fits));
    if (fits) drawMarks(picker.overlay.shape.marks, answer.marks, place, picker.data.look);
  };
  picker.ask = () => {
    if (!picker.frame) picker.frame = requestAnimationFrame(() => {
      picker.frame = 0;
      picker.draw();
    });
  };
  const commit = () => {
    picker.u = picker.u.map((v) => +v.toFixed(6));
    picker.ask();
    picker.set("u", picker.u);
  };
  const click = (event) => {
    const spot = [event.xvals?.[0] ?? event.points?.[0]?.x, event.yvals?.[0] ?? event.points?.[0]?.y];
    if (!spot.every(Number.isFinite)) return;
    if (picker.data.mode !== "move") {
      picker.trigger("spot", kept(spot).map((v) => +v.toFixed(4)));
      return;
    }
    picker.u = kept(spot);
    commit();
  };
  const tellView = () => {
    picker.draw();
    clearTimeout(picker.viewTimer);
    picker.viewTimer = setTimeout(() => {
      if (!axes()) return;
      const now = view().map((v) => +v.toFixed(5));
      if (String(now) !== String(picker.view)) picker.set("view", (picker.view = now));
    }, 500);
  };

  const drag = (handle) => {
    handle.onpointerdown = (event) => {
      event.preventDefault();
      event.stopPropagation();
      handle.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      picker.dragging = true;
    };
    handle.onpointermove = (event) => {
      if (!picker.dragging) return;
      picker.u = kept(under(event));
      picker.ask();
    };
    handle.onpointerup = handle.onpointercancel = () => {
      if (!picker.dragging) return;
      picker.dragging = false;
      commit();
    };
    handle.onkeydown = (event) => {
      const step = arrowStep(event, view()[1] - view()[0]);
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      picker.u = kept([picker.u[0] + step[0], picker.u[1] + step[1]]);
      picker.ask();
      clearTimeout(picker.keyTimer);
      picker.keyTimer = setTimeout(commit, 150);
    };
  };

  const attach = (chart) => {
    picker.chart = chart;
    picker.svg?.remove();
    picker.overlay = makeOverlay();
    picker.window = svgNode("rect");
    const cut = svgNode("clipPath", { id: `relucert-${Math.random().toString(36).slice(2)}` });
    cut.append(picker.window);
    picker.overlay.group.setAttribute("clip-path", `url(#${cut.id})`);
    picker.svg = svgNode("svg", { class: "relucert-overlay", width: "100%", height: "100%", style: "position:absolute;inset:0;pointer-events:none;overflow:hidden;z-index:6;will-change:transform;contain:strict" });
    picker.svg.append(cut, picker.overlay.group, picker.overlay.handle);
    drag(picker.overlay.handle);
    paintOverlay(picker.overlay, picker.data.look);
    (chart.querySelector(".svg-container") ?? chart).append(picker.svg);
    chart.on("plotly_relayout", tellView);
    chart.on("plotly_relayouting", picker.draw);
    chart.on("plotly_afterplot", picker.draw);
    chart.on("plotly_click", click);
    picker.view = view().map((v) => +v.toFixed(5));
    picker.draw();
  };
  picker.look = () => {
    const chart = document.querySelector(`.st-key-${picker.data.target} .js-plotly-plot`);
    if (chart?._fullLayout?.xaxis && chart !== picker.chart) attach(chart);
    else picker.draw();
    if (picker.chart) picker.chart.dataset.mode = picker.data.mode; // the pointer's shape says what a click does
  };
  picker.watcher = new MutationObserver(() => {
    if (picker.chart?.isConnected && picker.svg?.isConnected) return;
    picker.chart = null;
    picker.svg = null;
    picker.look();
  });
  picker.watcher.observe(document.body, { childList: true, subtree: true });
  picker.close = () => {
    picker.watcher.disconnect();
    picker.stops.forEach((stop) => stop());
    clearTimeout(picker.viewTimer);
    clearTimeout(picker.keyTimer);
    clearTimeout(picker.wordsTimer);
    cancelAnimationFrame(picker.frame);
    picker.svg?.remove();
  };
  return picker;
}

// Numbers of another moment of the training take the place of the network while its time handle moves.
function takeOther(picker, other) {
  picker.other = other;
  picker.ask();
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  let picker = pickers.get(parentElement);
  if (!picker) {
    picker = makePicker();
    pickers.set(parentElement, picker);
    picker.channel = channel(data.target);
    for (const kind of ["answer", "hover"]) picker.stops.push(picker.channel.listen(kind, picker.ask));
    picker.stops.push(picker.channel.listen("moment", (other) => takeOther(picker, other)));
  }
  picker.set = setStateValue;
  picker.trigger = setTriggerValue;
  picker.words = parentElement.querySelector(".words");
  const changed = picker.data?.weights !== data.weights || picker.data?.pieces !== data.pieces;
  picker.data = data;
  if (changed) picker.geometry = readGeometry(data);
  if (picker.seq !== data.seq && !picker.dragging) picker.u = data.u.slice(); // Python moved the point
  picker.seq = data.seq;
  if (picker.overlay) paintOverlay(picker.overlay, data.look);
  picker.look();
  return () => {
    picker.close();
    pickers.delete(parentElement);
  };
}
