// The digit behind a mark: a picture beside the pointer, and a click (with a finger the second tap on the same
// mark) that tells Python which one to open.
const SIZE = 72;
const GAP = 22; // pixels between the mark and the picture: plotly's own words stand on the mark's height
const ECHO = 500; // milliseconds in which plotly may report one tap twice
const sheets = new WeakMap();

function attach(chart, sheet, network) {
  const picture = document.createElement("img");
  picture.alt = "";
  picture.className = "relucert-mark-digit";
  picture.style.cssText = `position:absolute;display:none;width:${SIZE}px;height:${SIZE}px;image-rendering:pixelated;pointer-events:none;z-index:7;border:1px solid #888;border-radius:6px`;
  let shown = null;
  let since = 0;
  let finger = false;
  const index = (event) => event.points?.[0]?.customdata;
  const show = (event) => {
    const source = sheet.data.pictures[index(event)];
    const host = chart.querySelector(".svg-container") ?? chart;
    if (!source || !event.event) return hide();
    const box = host.getBoundingClientRect();
    const [x, y] = [event.event.clientX - box.left, event.event.clientY - box.top];
    picture.src = source;
    picture.style.left = `${Math.min(Math.max(x - SIZE / 2, 0), box.width - SIZE)}px`;
    picture.style.top = `${y > SIZE + GAP ? y - SIZE - GAP : y + GAP}px`;
    picture.style.display = "block";
    if (picture.parentNode !== host) host.append(picture);
    const plane = chart.querySelector(".nsewdrag");
    if (plane) plane.style.cursor = "pointer";
  };
  const hide = () => {
    picture.style.display = "none";
    const plane = chart.querySelector(".nsewdrag");
    if (plane) plane.style.cursor = "";
  };
  const touched = (event) => { finger = event.pointerType === "touch"; };
  chart.addEventListener("pointerdown", touched, { capture: true, passive: true });
  chart.on("plotly_hover", show);
  chart.on("plotly_unhover", hide);
  chart.on("plotly_click", (event) => {
    const picked = index(event);
    if (!(picked in sheet.data.pictures)) return;
    if (finger && shown === picked && Date.now() - since < ECHO) return;
    if (finger && shown !== picked) {
      [shown, since] = [picked, Date.now()];
      show(event);
      return;
    }
    sheet.send([[network, picked], Date.now()]);
  });
}

export default function ({ data, parentElement, setStateValue }) {
  let sheet = sheets.get(parentElement);
  if (!sheet) {
    sheet = { known: new WeakSet() };
    sheet.look = () => {
      for (const [key, network] of Object.entries(sheet.data.charts)) {
        const chart = document.querySelector(`.st-key-${key} .js-plotly-plot`);
        if (!chart?._fullLayout?.xaxis || sheet.known.has(chart)) continue;
        sheet.known.add(chart);
        attach(chart, sheet, network);
      }
    };
    sheet.watcher = new MutationObserver(sheet.look);
    sheet.watcher.observe(document.body, { childList: true, subtree: true });
    sheets.set(parentElement, sheet);
  }
  sheet.data = data;
  sheet.send = (value) => setStateValue("picked", value);
  sheet.look();
  return () => {
    sheet.watcher.disconnect();
    sheets.delete(parentElement);
  };
}
