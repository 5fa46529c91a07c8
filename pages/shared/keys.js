// Tells Python of a pressed key 0-9 or r, unless the visitor is typing somewhere or drawing.
const states = new WeakMap();
const TYPING = "input, textarea, select, [contenteditable='true'], [role='combobox'], canvas";

export default function ({ parentElement, setStateValue }) {
  let state = states.get(parentElement);
  if (!state) {
    state = {};
    state.listen = (event) => {
      const target = event.composedPath()[0];
      if (event.ctrlKey || event.metaKey || event.altKey || target?.closest?.(TYPING)) return;
      if (/^[0-9rR]$/.test(event.key)) state.send([event.key.toLowerCase(), Date.now()]);
    };
    document.addEventListener("keydown", state.listen);
    states.set(parentElement, state);
  }
  state.send = (value) => setStateValue("pressed", value);
  return () => {
    document.removeEventListener("keydown", state.listen);
    states.delete(parentElement);
  };
}
