// What lies under the pointer, in words: the face with its neuron, layer and distance from u, or the region.
const NEAR = 7; // pixels from a line at which the pointer means it

// The distance of u from a segment, and from a convex polygon.
function toSegment(u, [a, b]) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const t = Math.min(1, Math.max(0, ((u[0] - a[0]) * dx + (u[1] - a[1]) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(a[0] + t * dx - u[0], a[1] + t * dy - u[1]);
}

function toPolygon(u, polygon) {
  return Math.min(...polygon.map((corner, i) => toSegment(u, [corner, polygon[(i + 1) % polygon.length]])));
}

// geometry, u, the pointer's place p, the visible rectangle and what a pixel is worth: { lines, path } or null.
function probeAt(geometry, u, p, frame, pixel, wanted) {
  const rows = runNetwork(geometry.layers, p);
  const best = bestClass(rows[rows.length - 1]);
  const faces = facesAt(rows);
  const region = regionAt(faces, p, frame);
  const plane = nearestOf(planesAt(rows[rows.length - 1], best));
  const face = nearestOf(faces);
  if (wanted.has("decision") && plane && plane.distance < NEAR * pixel && (!face || plane.distance <= face.distance)) {
    const ends = chord(plane, p, region.polygon);
    if (ends) return { words: [`Boundary of class ${best} and class ${plane.rival}`, `${shortNumber(toSegment(u, ends))} from u`], path: ends };
  }
  const place = face ? region.labels.indexOf(face) : -1;
  if (wanted.has("polyhedra") && place >= 0 && face.distance < NEAR * pixel) {
    const ends = [region.polygon[place], region.polygon[(place + 1) % region.polygon.length]];
    return { words: [`Face of neuron ${face.neuron} of layer ${face.layer}`, `${shortNumber(toSegment(u, ends))} from u`], path: ends };
  }
  const sides = region.labels.filter((name) => name !== null).length;
  const own = faces.every((one) => one.value + one.a[0] * (u[0] - p[0]) + one.a[1] * (u[1] - p[1]) >= 0);
  const words = [own ? `u's own region, class ${best}` : `Region of class ${best} with ${sides} faces in view`];
  if (face && wanted.has("polyhedra")) words.push(`nearest face: neuron ${face.neuron} of layer ${face.layer}`);
  words.push(own ? `safe radius here ${shortNumber(Math.min(face?.distance ?? Infinity, plane?.distance ?? Infinity))} (preview)` : `${shortNumber(toPolygon(u, region.polygon))} from u`);
  return { words, path: null };
}

// The words in a box beside the pointer, inside the window [x0, y0, x1, y1].
function drawTip(group, words, spot, room, look) {
  group.replaceChildren();
  const size = look.font - 1;
  const [width, height] = [Math.max(...words.map((line) => line.length)) * size * 0.54 + 16, words.length * size * 1.35 + 10];
  const x = spot[0] + 16 + width < room[2] ? spot[0] + 16 : Math.max(room[0], spot[0] - 16 - width);
  const y = Math.max(room[1], Math.min(room[3] - height, spot[1] - height - 10));
  group.append(svgNode("rect", { x, y, width, height, rx: 5, fill: look.background, stroke: look.text, "stroke-opacity": 0.4 }));
  words.forEach((line, i) => {
    const node = svgNode("text", { x: x + 8, y: y + 5 + size * (1.05 + 1.35 * i), fill: look.text, "font-size": size, "font-weight": i ? 400 : 600 });
    node.textContent = line;
    group.append(node);
  });
}
