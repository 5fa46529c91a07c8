// The view for a lecture hall: Esc leaves it, ? lists the keys beside a code that brings the view to a phone.
const halls = new WeakMap();

// The square code as one path: `rows` are lines of 0 and 1.
function drawCode(host, rows) {
  const side = rows.length;
  const path = rows.map((row, y) => [...row].map((bit, x) => (bit === "1" ? `M${x},${y}h1v1h-1z` : "")).join("")).join("");
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", `-4 -4 ${side + 8} ${side + 8}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", "Code of the link to this view");
  const dark = document.createElementNS(namespace, "path");
  dark.setAttribute("d", path);
  dark.setAttribute("fill", "#000000");
  svg.append(dark);
  host.replaceChildren(svg);
}

function leave() {
  const query = new URLSearchParams(location.search);
  query.delete("present");
  location.search = query.toString();
}

export default function ({ data, parentElement, setTriggerValue }) {
  const dialog = parentElement.querySelector("dialog");
  let hall = halls.get(parentElement);
  if (!hall) {
    hall = {};
    const hint = parentElement.querySelector(".hint");
    hall.timer = setTimeout(() => { hint.hidden = true; }, data.seconds * 1000);
    hall.press = (event) => {
      if (event.composedPath()[0]?.closest?.("input, textarea, select, [contenteditable='true']")) return;
      if (event.key === "?") {
        hall.ask(Date.now()); // the code of the address as it is now
        if (dialog.open) dialog.close();
        else dialog.showModal();
      }
      if (event.key === "Escape" && !dialog.open) leave();
    };
    parentElement.querySelector(".leave").onclick = leave;
    document.addEventListener("keydown", hall.press);
    halls.set(parentElement, hall);
  }
  hall.ask = (value) => setTriggerValue("ask", value);
  const names = parentElement.querySelector("dl");
  names.replaceChildren(...data.keys.flatMap(([key, words]) => {
    const [term, meaning] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = key;
    meaning.textContent = words;
    return [term, meaning];
  }));
  parentElement.querySelector(".qr").dataset.address = data.address;
  drawCode(parentElement.querySelector(".qr"), data.code);
  return () => {
    clearTimeout(hall.timer);
    document.removeEventListener("keydown", hall.press);
    halls.delete(parentElement);
  };
}
