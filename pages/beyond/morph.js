// From the digit to the nearest one that is read differently, by a slider; the readings come from Python.
const morphs = new WeakMap();
const ACROSS = 28;

function floats(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}

function show(state) {
  const { data, one, other } = state;
  const share = Number(state.range.value) / data.steps;
  const context = state.canvas.getContext("2d");
  const image = context.createImageData(ACROSS, ACROSS);
  for (let i = 0; i < one.length; i++) {
    const level = Math.round(255 * Math.min(1, Math.max(0, one[i] + share * (other[i] - one[i]))));
    image.data.set([level, level, level, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
  const reading = data.names[data.readings[Number(state.range.value)]];
  const far = share === 1 ? data.whole : String(Number((share * data.distance).toPrecision(3)));
  state.out.textContent = `${far} from the digit, read as ${reading}`;
}

export default function ({ data, parentElement }) {
  let state = morphs.get(parentElement);
  if (!state) {
    const root = parentElement.querySelector(".morph");
    root.innerHTML = '<canvas width="28" height="28" role="img"></canvas><input type="range" min="0" step="1"><div class="ends"><span></span><span></span></div><output aria-live="polite"></output>';
    const [canvas, range, ends, out] = root.children;
    state = { root, canvas, range, ends, out };
    range.setAttribute("aria-label", "From the digit to the adversarial digit");
    morphs.set(parentElement, state);
  }
  const fresh = state.stamp !== data.stamp;
  Object.assign(state, { data, stamp: data.stamp });
  state.root.style.setProperty("--side", `${data.size}px`);
  state.root.style.fontSize = `${data.font}px`;
  state.range.max = String(data.steps);
  if (fresh) {
    state.one = floats(data.one);
    state.other = floats(data.other);
    state.range.value = String(data.steps);
    state.canvas.setAttribute("aria-label", data.alt);
  }
  state.ends.firstChild.textContent = data.left;
  state.ends.lastChild.textContent = data.right;
  state.range.oninput = () => show(state);
  show(state);
  return () => morphs.delete(parentElement);
}
