"use strict";
const find = (id) => document.getElementById(id);
const board = find("ink");
// All are written or read pixel by pixel.
const context = (canvas) => canvas.getContext("2d", { willReadFrequently: true });
const ink = context(board);
const layers = [...document.querySelectorAll(".maps")];
const rows = Array.from({ length: 10 }, (_, digit) => {
  const row = find("classes").appendChild(document.createElement("li"));
  row.innerHTML = `<span>${digit}</span><div class="bar"><div></div></div><span></span>`;
  return row;
});
[[32, 14], [64, 7]].forEach(([count, side], layer) => {
  for (let i = 0; i < count; i++) {
    const map = layers[layer].appendChild(document.createElement("canvas"));
    map.width = map.height = side;
  }
});

// Drawing: about a tenth of what a digit is high, as in MNIST.
ink.lineWidth = 22;
ink.lineCap = ink.lineJoin = "round";
let last = null;
const place = (event) => {
  const box = board.getBoundingClientRect();
  return [(event.clientX - box.left) * board.width / box.width, (event.clientY - box.top) * board.height / box.height];
};
const draw = (to) => {
  ink.beginPath();
  ink.moveTo(...last);
  // A line without length would not be drawn; this makes a dot of it.
  ink.lineTo(to[0] + 0.01, to[1]);
  ink.stroke();
  last = to;
};
board.addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || !event.isPrimary) return;
  board.setPointerCapture(event.pointerId);
  last = place(event);
  find("hint").hidden = true;
  draw(last);
  ask();
});
board.addEventListener("pointermove", (event) => {
  if (last === null || !event.isPrimary) return;
  const steps = event.getCoalescedEvents?.() ?? [];
  for (const step of steps.length ? steps : [event]) draw(place(step));
  ask();
});
for (const end of ["pointerup", "pointercancel"]) {
  board.addEventListener(end, (event) => { if (event.isPrimary) last = null; });
}

// Asking: one question at a time, and then of what is drawn by now. Answers to what was wiped off are dropped.
let sheet = 0;
let blank = true;
let asking = false;
let changed = false;
async function ask() {
  blank = false;
  changed = true;
  if (asking) return;
  asking = true;
  while (changed && !blank) {
    changed = false;
    const asked = sheet;
    let show;
    try {
      const pixels = ink.getImageData(0, 0, board.width, board.height).data;
      const body = new Uint8Array(board.width * board.height).map((_, i) => pixels[4 * i + 3]);
      const headers = { "Content-Type": "application/octet-stream" };
      const response = await fetch("classify", { method: "POST", headers, body });
      if (response.ok) {
        const answer = await response.json();
        show = () => showAnswer(answer);
      } else {
        const message = await response.text();
        show = () => showError(message);
      }
    } catch {
      show = () => showError("The server does not answer. Does it still run?");
    }
    if (asked === sheet && !blank) show();
  }
  asking = false;
}

/** Bytes as the strength of ink. */
function paint(canvas, bytes) {
  const side = canvas.width;
  const image = new ImageData(side, side);
  bytes.forEach((byte, i) => { image.data[4 * i + 3] = byte; });
  context(canvas).putImageData(image, 0, 0);
}

function showProbabilities(probabilities, best) {
  rows.forEach((row, digit) => {
    const percent = probabilities ? 100 * probabilities[digit] : 0;
    row.className = digit === best ? "best" : "";
    row.querySelector(".bar > div").style.width = `${percent}%`;
    row.lastElementChild.textContent = probabilities ? `${percent.toFixed(1)} %` : "–";
  });
}

function showAnswer(answer) {
  const said = find("said");
  const text = `with ${(100 * answer.probabilities[answer.digit]).toFixed(1)} %`;
  said.className = "";
  said.innerHTML = `<b>${answer.digit}</b> <span>${text}</span>`;
  showProbabilities(answer.probabilities, answer.digit);
  paint(find("image"), answer.image);
  answer.maps.forEach(({ side, values }, layer) => {
    [...layers[layer].children].forEach((map, i) => paint(map, values.slice(i * side * side, (i + 1) * side * side)));
  });
}

function showError(message) {
  find("said").className = "wrong";
  find("said").textContent = message;
}

function clear() {
  sheet += 1;
  blank = true;
  last = null;
  ink.clearRect(0, 0, board.width, board.height);
  find("hint").hidden = false;
  find("said").className = "";
  find("said").textContent = "Nothing is drawn yet.";
  showProbabilities(null);
  for (const canvas of [find("image"), ...document.querySelectorAll(".maps canvas")]) {
    context(canvas).clearRect(0, 0, canvas.width, canvas.height);
  }
}
find("clear").addEventListener("click", clear);
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "c" && !event.ctrlKey && !event.metaKey && !event.altKey) clear();
});
clear();
