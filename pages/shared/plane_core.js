// The paper's Algorithm 1 and Theorem 3 in the browser, for a network of two inputs: a preview while the point moves.
// What is called certified comes from Python; a test compares the two at 1,000 points.

function decodeArray(text, Kind) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new Kind(bytes.buffer);
}

// Layers { inputs, outputs, weight (row by row), bias } from the flat numbers W1, b1, W2, b2, ...
function readLayers(widths, numbers) {
  const layers = [];
  let at = 0;
  for (let i = 1; i < widths.length; i++) {
    const inputs = widths[i - 1];
    const outputs = widths[i];
    const weight = numbers.subarray(at, at + inputs * outputs);
    const bias = numbers.subarray(at + inputs * outputs, at + inputs * outputs + outputs);
    layers.push({ inputs, outputs, weight, bias });
    at += inputs * outputs + outputs;
  }
  return layers;
}

// data: what relucert_core.planar.preview makes
function readGeometry(data) {
  return {
    layers: readLayers(data.widths, decodeArray(data.weights, Float64Array)),
    pieces: decodeArray(data.pieces, Float64Array),
    box: data.box,
  };
}

// The pre-activations of one layer with their gradients: rows of [value, d/dx, d/dy].
function layerRows(layer, below) {
  const rows = new Float64Array(3 * layer.outputs);
  for (let j = 0; j < layer.outputs; j++) {
    let value = layer.bias[j];
    let dx = 0;
    let dy = 0;
    for (let i = 0; i < layer.inputs; i++) {
      const w = layer.weight[j * layer.inputs + i];
      value += w * below[3 * i];
      dx += w * below[3 * i + 1];
      dy += w * below[3 * i + 2];
    }
    rows.set([value, dx, dy], 3 * j);
  }
  return rows;
}

// Algorithm 1: the rows of every layer at u; a neuron exactly on its face counts as on.
function runNetwork(layers, u) {
  const all = [];
  let below = new Float64Array([u[0], 1, 0, u[1], 0, 1]);
  layers.forEach((layer, index) => {
    const rows = layerRows(layer, below);
    all.push(rows);
    if (index < layers.length - 1) {
      below = new Float64Array(rows.length);
      for (let j = 0; j < layer.outputs; j++) {
        if (rows[3 * j] >= 0) below.set(rows.subarray(3 * j, 3 * j + 3), 3 * j);
      }
    }
  });
  return all;
}

function bestClass(logits) {
  let best = 0;
  for (let k = 1; 3 * k < logits.length; k++) if (logits[3 * k] > logits[3 * best]) best = k;
  return best;
}

// Half-planes value + a (x - u) >= 0 of every hidden neuron, with their distances from u.
function facesAt(rows) {
  const faces = [];
  for (let layer = 0; layer + 1 < rows.length; layer++) {
    for (let j = 0; 3 * j < rows[layer].length; j++) {
      const sign = rows[layer][3 * j] > 0 ? 1 : -1;
      const a = [sign * rows[layer][3 * j + 1], sign * rows[layer][3 * j + 2]];
      const size = Math.hypot(a[0], a[1]);
      const value = Math.abs(rows[layer][3 * j]);
      if (size > 0) faces.push({ layer: layer + 1, neuron: j, value, a, size, distance: value / size });
    }
  }
  return faces;
}

// The local decision planes f_k - f_j = 0 of the predicted class against every rival.
function planesAt(logits, best) {
  const planes = [];
  for (let j = 0; 3 * j < logits.length; j++) {
    if (j === best) continue;
    const value = logits[3 * best] - logits[3 * j];
    const a = [logits[3 * best + 1] - logits[3 * j + 1], logits[3 * best + 2] - logits[3 * j + 2]];
    const size = Math.hypot(a[0], a[1]);
    planes.push({ rival: j, value, a, size, distance: size > 0 ? value / size : value > 0 ? Infinity : 0 });
  }
  return planes;
}

function nearestOf(list) {
  return list.reduce((one, other) => (one === null || other.distance < one.distance ? other : one), null);
}

// Theorem 4 for two layers: the smallest numerator over theta in [0, 1]^N against ||c|| ||W1||.
function boundaryCertificate(layers, rows, best) {
  if (layers.length !== 2) return null;
  const [first, last] = layers;
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (let i = 0; i < first.outputs; i++) {
    const [a, b] = [first.weight[2 * i], first.weight[2 * i + 1]];
    xx += a * a;
    xy += a * b;
    yy += b * b;
  }
  const spectral = Math.sqrt((xx + yy) / 2 + Math.hypot((xx - yy) / 2, xy));
  let radius = Infinity;
  for (let j = 0; j < last.outputs; j++) {
    if (j === best) continue;
    let low = last.bias[best] - last.bias[j];
    let square = 0;
    for (let i = 0; i < last.inputs; i++) {
      const c = last.weight[best * last.inputs + i] - last.weight[j * last.inputs + i];
      low += Math.min(0, c * rows[0][3 * i]);
      square += c * c;
    }
    const bound = Math.sqrt(square) * spectral;
    radius = Math.min(radius, low > 0 ? (bound > 0 ? low / bound : Infinity) : 0);
  }
  return radius;
}

// The nearest point of the decision boundary: pieces of five numbers, start, step and whether it is a ray.
function nearestOnPieces(pieces, u) {
  let distance = Infinity;
  let point = null;
  for (let k = 0; k < pieces.length; k += 5) {
    const [dx, dy] = [pieces[k + 2], pieces[k + 3]];
    const along = ((u[0] - pieces[k]) * dx + (u[1] - pieces[k + 1]) * dy) / (dx * dx + dy * dy || 1);
    const t = Math.min(pieces[k + 4] ? Infinity : 1, Math.max(0, along));
    const place = [pieces[k] + t * dx, pieces[k + 1] + t * dy];
    const here = Math.hypot(place[0] - u[0], place[1] - u[1]);
    if (here < distance) [distance, point] = [here, place];
  }
  return { distance, point };
}

// Clip a labelled convex polygon by value + a (x - u) >= 0; labels[i] names the edge from corner i to the next.
function clip(polygon, labels, face, u) {
  const sides = polygon.map((p) => face.value + face.a[0] * (p[0] - u[0]) + face.a[1] * (p[1] - u[1]));
  if (sides.every((side) => side >= 0)) return [polygon, labels];
  const corners = [];
  const names = [];
  polygon.forEach((here, i) => {
    const next = (i + 1) % polygon.length;
    if (sides[i] >= 0) {
      corners.push(here);
      names.push(labels[i]);
    }
    if (sides[i] >= 0 === sides[next] >= 0) return;
    const t = sides[i] / (sides[i] - sides[next]);
    const there = polygon[next];
    corners.push([here[0] + t * (there[0] - here[0]), here[1] + t * (there[1] - here[1])]);
    names.push(sides[i] >= 0 ? face : labels[i]);
  });
  return [corners, names];
}

// The region of u inside a rectangle [x0, x1, y0, y1], with the face that draws each edge (null: the rectangle).
function regionAt(faces, u, frame) {
  const [x0, x1, y0, y1] = frame;
  let polygon = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  let labels = [null, null, null, null];
  for (const face of faces) [polygon, labels] = clip(polygon, labels, face, u);
  return { polygon, labels };
}

// The part of the line value + a (x - u) = 0 inside a convex polygon: two end points or null.
function chord(line, u, polygon) {
  const sides = polygon.map((p) => line.value + line.a[0] * (p[0] - u[0]) + line.a[1] * (p[1] - u[1]));
  const ends = [];
  polygon.forEach((here, i) => {
    const next = (i + 1) % polygon.length;
    if (sides[i] >= 0 === sides[next] >= 0) return;
    const t = sides[i] / (sides[i] - sides[next]);
    ends.push([here[0] + t * (polygon[next][0] - here[0]), here[1] + t * (polygon[next][1] - here[1])]);
  });
  return ends.length === 2 ? ends : null;
}

// Everything that the overlay shows at u. kind: "plane" is case (a) of Figure 1, "face" case (b).
function lookAt(geometry, u) {
  const rows = runNetwork(geometry.layers, u);
  const logits = rows[rows.length - 1];
  const best = bestClass(logits);
  const faces = facesAt(rows);
  const planes = planesAt(logits, best);
  const face = nearestOf(faces);
  const plane = nearestOf(planes);
  const kind = face && face.distance < plane.distance ? "face" : "plane";
  const limit = kind === "face" ? face : plane;
  const foot = Number.isFinite(limit.distance) && limit.size > 0
    ? [u[0] - (limit.value / limit.size ** 2) * limit.a[0], u[1] - (limit.value / limit.size ** 2) * limit.a[1]]
    : null;
  return {
    u, rows, prediction: best, faces, planes, kind, limit, foot,
    radius: limit.distance,
    faceDistance: face ? face.distance : Infinity,
    decisionDistance: plane.distance,
    boundary: boundaryCertificate(geometry.layers, rows, best),
    exact: nearestOnPieces(geometry.pieces, u),
  };
}

// What the components on one page tell each other, by the name of the chart that they share.
function channel(name) {
  const all = (globalThis[Symbol.for("relucert-plane")] ??= new Map());
  if (!all.has(name)) {
    const listeners = new Map();
    const values = new Map();
    all.set(name, {
      get: (kind) => values.get(kind),
      tell(kind, value) {
        values.set(kind, value);
        for (const listen of listeners.get(kind) ?? []) listen(value);
      },
      listen(kind, listener) {
        if (!listeners.has(kind)) listeners.set(kind, new Set());
        listeners.get(kind).add(listener);
        return () => listeners.get(kind).delete(listener);
      },
    });
  }
  return all.get(name);
}
