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
  picker.under = (event) => kept(under(event));
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
    drawProbe(wanted);
    drawAnswer(wanted);
    legend(wanted);
    sayNumbers();
    picker.channel.tell("seen", picker.seen);
    clearTimeout(picker.wordsTimer);
    picker.wordsTimer = setTimeout(() => {
      picker.words.textContent = previewWords(picker.seen);
      picker.overlay?.handle.setAttribute("aria-label", `The point u at ${picker.u.map((v) => v.toFixed(3)).join(", ")}. Arrow keys move it, with Shift in larger steps.`);
    }, 250);
  };
  // Does Python's answer speak of the point and the network in the picture?
  const answered = (near) => {
    const answer = picker.channel.get("answer");
    if (!answer || picker.dragging || Math.hypot(answer.u[0] - picker.u[0], answer.u[1] - picker.u[1]) > near) return false;
    return !picker.other || (picker.other !== "none" && !picker.other.live && picker.other.epoch === answer.epoch);
  };
  // The numbers are Python's once they speak of this picture, else the browser's, in the same place.
  const sayNumbers = () => {
    const words = document.querySelector(".st-key-pg_words");
    const live = !answered(1e-6);
    if (words && words.dataset.live !== (live ? "1" : "")) {
      if (live) picker.panel.style.minHeight = `${words.offsetHeight}px`;
      words.dataset.live = live ? "1" : "";
      picker.panel.hidden = !live;
    }
    if (live) fillPanel(picker.panel, picker.seen, picker.data.sentences);
  };
  const legend = (wanted) => {
    const width = picker.svg.clientWidth;
    const shown = new Set(wanted);
    if (!picker.overlay.shape.marks.childElementCount || picker.overlay.shape.marks.style.display === "none") shown.delete("attacks");
    const state = `${width} ${[...shown]} ${JSON.stringify(picker.data.legend)}`;
    if (picker.legendState === state || !width) return;
    picker.legendState = state;
    const height = drawLegend(picker.legend, picker.data.legend, width, picker.data.look, shown);
    picker.host()?.style.setProperty("--relucert-legend", `${height}px`);
  };
  const drawProbe = (wanted) => {
    const { shape, tip } = picker.overlay;
    const geometry = picker.other === "none" ? null : picker.other ?? picker.geometry;
    const probe = picker.pointer && !picker.dragging && geometry ? under({ clientX: picker.pointer[0], clientY: picker.pointer[1] }) : null;
    show(shape.probe, false);
    show(tip, Boolean(probe));
    if (!probe) return;
    const [x, y] = axes();
    const found = probeAt(geometry, picker.u, probe, view(), Math.abs(x.p2d(1) - x.p2d(0)), wanted);
    const room = [x._offset, y._offset, x._offset + x._length, y._offset + y._length];
    drawTip(tip, found.words, place(probe), room, picker.data.look);
    stroke(shape.probe, found.path, place, true);
  };
  const drawHover = () => {
    const lines = picker.channel.get("hover");
    show(picker.overlay.shape.hover, Boolean(lines?.length));
    if (lines?.length) picker.overlay.shape.hover.setAttribute("d", lines.map((ends) => `M${outline(ends, place)}`).join(""));
  };
  const drawAnswer = (wanted) => {
    const fits = wanted.has("attacks") && !picker.other && answered(1e-9);
    show(picker.overlay.shape.marks, fits);
    if (!fits) return;
    const [x, y] = axes();
    const room = [x._offset, y._offset, x._offset + x._length, y._offset + y._length];
    drawMarks(picker.overlay.shape.marks, picker.channel.get("answer").marks, place, picker.data.look, room, place(picker.u));
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

  picker.host = () => document.querySelector(`.st-key-${picker.data.target}`);
  picker.shares = () => {
    if (!axes() || !picker.u) return null;
    const [x0, x1, y0, y1] = view();
    return [(picker.u[0] - x0) / (x1 - x0), (y1 - picker.u[1]) / (y1 - y0)];
  };
  picker.hint = () => {
    show(picker.overlay.note, true);
    clearTimeout(picker.hintTimer);
    picker.hintTimer = setTimeout(() => show(picker.overlay.note, false), 1200);
  };
  const guard = () => {
    const host = picker.host();
    if (!host || host === picker.guarded) return;
    picker.unguard?.();
    picker.guarded = host;
    const [gestures, strokes] = [guardGestures(host, picker), listenForStrokes(host, picker)];
    picker.unguard = () => [gestures, strokes].forEach((stop) => stop());
    host.onpointermove = (event) => {
      const free = event.pointerType === "mouse" && !event.buttons && event.target.closest?.(".nsewdrag") && axes();
      picker.pointer = free ? [event.clientX, event.clientY] : null;
      picker.ask();
    };
    host.onpointerleave = () => {
      picker.pointer = null;
      picker.ask();
    };
  };
  // What is drawn above the rest: the words at the pointer, and how to zoom.
  const tips = (overlay) => {
    const style = "pointer-events:none";
    overlay.tip = svgNode("g", { class: "relucert-tip", style });
    overlay.note = svgNode("text", { class: "relucert-note", x: "50%", y: "50%", "text-anchor": "middle", fill: picker.data.look.text, stroke: picker.data.look.background, "stroke-width": 5, "paint-order": "stroke", "font-size": picker.data.look.font + 4, style });
    overlay.note.textContent = "Hold Ctrl and turn the wheel to zoom";
    show(overlay.note, false);
  };

  const attach = (chart) => {
    picker.chart = chart;
    picker.svg?.remove();
    picker.legend?.remove();
    picker.legendState = "";
    guard();
    picker.overlay = makeOverlay();
    picker.window = svgNode("rect");
    const cut = svgNode("clipPath", { id: `relucert-${Math.random().toString(36).slice(2)}` });
    cut.append(picker.window);
    picker.overlay.group.setAttribute("clip-path", `url(#${cut.id})`);
    picker.svg = svgNode("svg", { class: "relucert-overlay", width: "100%", height: "100%", style: "position:absolute;inset:0;pointer-events:none;overflow:hidden;z-index:6;will-change:transform;contain:strict" });
    tips(picker.overlay);
    picker.svg.append(cut, picker.overlay.group, picker.overlay.handle, picker.overlay.tip, picker.overlay.note);
    picker.legend = svgNode("svg", { class: "relucert-legend" });
    drag(picker.overlay.handle);
    paintOverlay(picker.overlay, picker.data.look);
    (chart.querySelector(".svg-container") ?? chart).append(picker.svg, picker.legend);
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
    clearTimeout(picker.hintTimer);
    cancelAnimationFrame(picker.frame);
    picker.unguard?.();
    if (picker.guarded) picker.guarded.onpointermove = picker.guarded.onpointerleave = null;
    picker.svg?.remove();
    picker.legend?.remove();
    delete document.querySelector(".st-key-pg_words")?.dataset.live;
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
  picker.panel = parentElement.querySelector(".live");
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
