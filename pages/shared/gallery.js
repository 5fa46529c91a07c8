// A strip of thumbnails. One of them can be reached with Tab, arrows move along, Enter or Space or a click picks.
const shown = new WeakMap();

function thumbnail(item, strip) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.index = item.index;
  button.title = item.words;
  const image = document.createElement("img");
  image.src = item.src;
  image.alt = item.words;
  image.draggable = false;
  button.append(image);
  if (item.misread) {
    const note = document.createElement("span");
    note.textContent = item.misread;
    button.append(note);
  }
  button.onclick = () => {
    mark(strip, String(item.index));
    strip.send([item.index, Date.now()]);
  };
  return button;
}

function mark(strip, index) {
  const buttons = [...strip.root.children];
  const chosen = buttons.find((b) => b.dataset.index === index);
  for (const b of buttons) {
    b.setAttribute("aria-pressed", b === chosen ? "true" : "false");
    b.tabIndex = -1;
  }
  (chosen ?? buttons[0] ?? {}).tabIndex = 0;
}

function onKey(event, strip) {
  const buttons = [...strip.root.children];
  const here = buttons.indexOf(event.target.closest("button"));
  const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (to === undefined || here < 0) return;
  event.preventDefault();
  const next = buttons[Math.min(Math.max(to, 0), buttons.length - 1)];
  buttons[here].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

export default function ({ data, parentElement, setStateValue }) {
  let strip = shown.get(parentElement);
  if (!strip) {
    strip = { root: parentElement.querySelector(".strip"), version: null };
    strip.root.onkeydown = (event) => onKey(event, strip);
    shown.set(parentElement, strip);
  }
  strip.send = (value) => setStateValue("picked", value);
  if (strip.version !== data.version) {
    strip.version = data.version;
    strip.root.replaceChildren(...data.items.map((item) => thumbnail(item, strip)));
    strip.root.scrollLeft = 0;
  }
  mark(strip, String(data.picked));
  return () => shown.delete(parentElement);
}
