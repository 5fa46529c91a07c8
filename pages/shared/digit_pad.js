// The drawing pad: white ink on black, undo and clear. Python gets a PNG (data URL) whenever a stroke ends.
// A digit that is in view already (a reopened link) lies in the pad from the start; Clear takes it away as well.
// Keyboard: arrows move the pen, Space puts it down or lifts it, Backspace undoes.
const pads = new WeakMap();
const STEP = 10;

function makePad(root) {
  const canvas = root.querySelector("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const pad = { canvas, strokes: [], stroke: null, cursor: null, down: false, start: null };

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  };
  pad.paint = (withCursor = true) => {
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    if (pad.start) pen.drawImage(pad.start, 0, 0, canvas.width, canvas.height);
    pen.strokeStyle = "#fff";
    pen.lineCap = pen.lineJoin = "round";
    pen.lineWidth = pad.width;
    for (const stroke of pad.strokes) {
      pen.beginPath();
      pen.moveTo(stroke[0][0], stroke[0][1]);
      if (stroke.length === 1) pen.lineTo(stroke[0][0] + 0.01, stroke[0][1]);
      for (const [x, y] of stroke.slice(1)) pen.lineTo(x, y);
      pen.stroke();
    }
    if (withCursor && pad.cursor) {
      pen.lineWidth = 3;
      pen.strokeStyle = pad.down ? "#E69F00" : "#56B4E9";
      pen.beginPath();
      pen.arc(pad.cursor[0], pad.cursor[1], pad.width / 2, 0, 2 * Math.PI);
      pen.stroke();
    }
  };
  const send = () => {
    pad.paint(false);
    const picture = pad.strokes.length || pad.start ? canvas.toDataURL("image/png") : "";
    pad.paint();
    pad.set("png", picture);
  };
  const lift = () => {
    if (!pad.stroke) return;
    pad.stroke = null;
    pad.down = false;
    send();
  };
  const undo = () => {
    pad.stroke = null;
    pad.down = false;
    pad.strokes.pop();
    send();
  };

  canvas.onpointerdown = (event) => {
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    pad.cursor = null;
    pad.stroke = [place(event)];
    pad.strokes.push(pad.stroke);
    pad.paint();
  };
  canvas.onpointermove = (event) => {
    if (!pad.stroke || pad.down) return;
    for (const step of event.getCoalescedEvents?.() ?? [event]) pad.stroke.push(place(step));
    pad.paint();
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (!pad.down) lift();
  };
  canvas.onkeydown = (event) => {
    const move = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (move) {
      const [x, y] = pad.cursor ?? [canvas.width / 2, canvas.height / 2];
      pad.cursor = [Math.min(Math.max(x + move[0], 0), canvas.width), Math.min(Math.max(y + move[1], 0), canvas.height)];
      if (pad.down) pad.stroke.push([...pad.cursor]);
      pad.paint();
    } else if (event.key === " ") {
      pad.cursor ??= [canvas.width / 2, canvas.height / 2];
      if (pad.down) lift();
      else {
        pad.down = true;
        pad.stroke = [[...pad.cursor]];
        pad.strokes.push(pad.stroke);
        pad.paint();
      }
    } else if (event.key === "Backspace") undo();
    else return;
    event.preventDefault();
  };
  canvas.onblur = () => {
    if (pad.down) lift();
    pad.cursor = null;
    pad.paint();
  };
  root.querySelector(".undo").onclick = undo;
  root.querySelector(".clear").onclick = () => {
    pad.strokes = [];
    pad.start = null;
    pad.stroke = null;
    pad.down = false;
    send();
  };
  return pad;
}

export default function ({ data, parentElement, setStateValue }) {
  let pad = pads.get(parentElement);
  if (!pad) {
    pad = makePad(parentElement);
    pads.set(parentElement, pad);
    pad.canvas.width = pad.canvas.height = data.side;
    pad.width = data.pen;
    pad.paint();
  }
  if (data.start && data.start !== pad.known && !pad.strokes.length) {
    const picture = new Image();
    picture.onload = () => {
      if (pad.strokes.length) return;
      pad.start = picture;
      pad.paint();
    };
    picture.src = data.start;
  }
  pad.known = data.start;
  pad.set = setStateValue;
  return () => pads.delete(parentElement);
}
