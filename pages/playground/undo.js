// Undo and redo are the browser's Back and Forward, as every view has an entry of its own in its history. The buttons
// stop where the history leaves this page; Ctrl with Z and Y presses them while nothing is being typed.
const undoers = new WeakMap();
const TYPED = "input, textarea, select, [contenteditable='true']";

// Is there an entry of this page one step back (-1) or on (1)? Where the browser doesn't say, there may be one.
function within(step) {
  const way = window.navigation;
  if (!way?.entries) return true;
  const entry = way.entries()[way.currentEntry.index + step];
  return Boolean(entry) && new URL(entry.url).pathname === location.pathname;
}

export default function ({ parentElement }) {
  if (!undoers.has(parentElement)) {
    const [back, forth] = [".back", ".forth"].map((name) => parentElement.querySelector(name));
    const look = () => {
      back.disabled = !within(-1);
      forth.disabled = !within(1);
    };
    const go = (step) => within(step) && history.go(step);
    back.onclick = () => go(-1);
    forth.onclick = () => go(1);
    const press = (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.composedPath()[0]?.closest?.(TYPED)) return;
      const key = event.key.toLowerCase();
      if (key !== "z" && key !== "y") return;
      event.preventDefault();
      go(key === "y" || event.shiftKey ? 1 : -1);
    };
    document.addEventListener("keydown", press);
    window.navigation?.addEventListener?.("currententrychange", look);
    const timer = setInterval(look, 1000); // browsers without that event
    undoers.set(parentElement, { look, end() {
      document.removeEventListener("keydown", press);
      window.navigation?.removeEventListener?.("currententrychange", look);
      clearInterval(timer);
    } });
  }
  undoers.get(parentElement).look();
  return () => {
    undoers.get(parentElement)?.end();
    undoers.delete(parentElement);
  };
}
