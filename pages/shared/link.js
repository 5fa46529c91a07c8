// Replaces the browser's entry of the history by the link to the view that a visitor finds on coming back by the menu:
// that is no new view. (Streamlit itself only adds entries.) `stamp` is new for each time; `old` is the address then.
export default function ({ data }) {
  const stamp = `${data.page} ${data.stamp}`;
  const here = location.pathname.split("/").pop();
  if (!data.new || window.relucertReplaced === stamp || location.search !== data.old || (here !== data.page && here !== "")) return;
  window.relucertReplaced = stamp;
  history.replaceState(history.state, "", location.pathname + data.new + location.hash);
}
