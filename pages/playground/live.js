// The large numbers, the case and the sentence while they change: the browser's preview, in the place of Python's words,
// and in the same words (they come from Python as sentences with gaps).
function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// Sets a sentence with its **bold** words; the sentence is ours, the values are numbers.
function setWords(node, sentence) {
  const parts = sentence.split("**");
  node.replaceChildren(...parts.map((part, i) => {
    if (i % 2 === 0) return document.createTextNode(part);
    const bold = document.createElement("b");
    bold.textContent = part;
    return bold;
  }));
}

// Which of the sentences holds, as pages/playground/words.py decides it.
function caseOf(seen) {
  if (seen.radius === 0) return "zero";
  if (!Number.isFinite(seen.radius)) return "nothing";
  return seen.kind === "plane" ? "a" : "b";
}

function fillPanel(panel, seen, sentences) {
  const values = { prediction: seen.prediction, rival: seen.limit.rival, neuron: seen.limit.neuron, layer: seen.limit.layer };
  setWords(panel.querySelector(".headline"), filled(sentences.headline, values));
  panel.querySelector(".safe b").textContent = shortNumber(seen.radius);
  panel.querySelector(".true b").textContent = shortNumber(seen.exact.distance);
  setWords(panel.querySelector(".case"), filled(sentences[caseOf(seen)], values));
}
