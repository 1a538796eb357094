"use strict";
const { steps, visits, savedBytes, sources } = JSON.parse(document.getElementById("tape").textContent);
const byId = (id) => document.getElementById(id);
const svgElement = (name, attributes) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};
const element = (name, text, className) => {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
};

const bytes = (n) => {
  if (n < 1000) return `${n} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let unit = -1;
  let x = n;
  do { x /= 1000; unit += 1; } while (x >= 999.5 && unit + 1 < units.length);
  return `${Number(x.toPrecision(3))} ${units[unit]}`;
};
const exactBytes = (n) => (n < 1000 ? bytes(n) : `${bytes(n)} (${n.toLocaleString("en")} B)`);
const short = (x) => (typeof x === "string" ? x : x === 0 ? "0" : x >= 1e-3 && x < 1e5 ? String(Number(x.toPrecision(4))) : x.toExponential(3));
const time = (micros) => (micros < 1000 ? `${Number(micros.toPrecision(3))} µs` : `${Number((micros / 1000).toPrecision(3))} ms`);
const label = (id) => steps[id].name || steps[id].op;

// What each step is used by, and where a variable stands: before its first use.
const uses = steps.map(() => []);
steps.forEach((step, id) => step.inputs.forEach((input) => {
  if (input.step !== null && !uses[input.step].includes(id)) uses[input.step].push(id);
}));
const order = [];
const placed = new Set();
const put = (id) => { if (!placed.has(id)) { placed.add(id); order.push(id); } };
steps.forEach((step, id) => {
  if (step.variable && uses[id].length > 0) return;
  step.inputs.forEach((input) => { if (input.step !== null && steps[input.step].variable) put(input.step); });
  put(id);
});
const row = new Map(order.map((id, i) => [id, i]));

// A lane for each value, from its step to its last use.
const lastUse = steps.map((_, id) => Math.max(row.get(id), ...uses[id].map((use) => row.get(use))));
const lane = [];
const taken = [];
order.forEach((id, at) => {
  const ending = steps[id].inputs.map((input) => input.step).filter((from) => from !== null && lastUse[from] === at);
  ending.forEach((from) => { taken[lane[from]] = undefined; });
  const kept = ending.filter((from) => !steps[from].variable).concat(ending).map((from) => lane[from]);
  let mine = kept.length > 0 ? kept[0] : 0;
  if (taken[mine] !== undefined) { mine = 0; while (taken[mine] !== undefined) mine += 1; }
  lane[id] = mine;
  if (lastUse[id] > at) taken[mine] = id;
});

const ROW = 44;
const laneCount = Math.max(...lane, 0) + 1;
const lanes = byId("lanes");
const rows = byId("rows");
const buttons = [];
const nodes = [];
const edges = [];
const halo = svgElement("circle", { class: "halo", r: 9.5 });

order.forEach((id) => {
  const step = steps[id];
  const button = element("button");
  button.type = "button";
  const op = element("span", step.variable ? label(id) : step.op, "op");
  if (!step.variable && step.name) op.append(" ", element("i", step.name));
  const norm = element("span", "", "norm");
  button.append(op, element("span", `%${id}`, "id"), element("span", step.shape, "shape"), norm);
  button.addEventListener("click", () => visit(id));
  buttons[id] = button;
  const item = element("li");
  item.append(button);
  rows.append(item);
});
steps.forEach((step, id) => step.inputs.forEach((input) => {
  if (input.step === null) return;
  edges.push({ from: input.step, to: id, path: svgElement("path", input.saved ? { class: "saved" } : {}), saved: input.saved });
  lanes.append(edges[edges.length - 1].path);
}));
lanes.append(halo);
steps.forEach((step, id) => {
  nodes[id] = step.variable
    ? svgElement("rect", { width: 10, height: 10, rx: 2 })
    : svgElement("circle", { r: step.savesOutput ? 5.2 : 5.5 });
  lanes.append(nodes[id]);
});

let pitch = 0;
const middle = (id) => [14 + lane[id] * pitch, row.get(id) * ROW + ROW / 2];
function draw() {
  const width = byId("tape-list").clientWidth;
  const wanted = Math.min(16, (0.34 * width - 28) / Math.max(laneCount - 1, 1));
  if (wanted === pitch) return;
  pitch = wanted;
  const total = Math.ceil(28 + (laneCount - 1) * pitch);
  lanes.setAttribute("width", total);
  lanes.setAttribute("height", order.length * ROW);
  rows.style.setProperty("--lanes", `${total + 4}px`);
  for (const { from, to, path } of edges) {
    const [x, y] = middle(from);
    const [tx, ty] = middle(to);
    path.setAttribute("d", `M${x} ${y}V${ty - 30}C${x} ${ty - 10} ${tx} ${ty - 24} ${tx} ${ty}`);
  }
  steps.forEach((step, id) => {
    const [x, y] = middle(id);
    if (step.variable) { nodes[id].setAttribute("x", x - 5); nodes[id].setAttribute("y", y - 5); }
    else { nodes[id].setAttribute("cx", x); nodes[id].setAttribute("cy", y); }
  });
}

// The walk: forward in the order of the rows, then backward in that of the visits.
const walk = order.map((id) => ({ id, visit: null })).concat(visits.map((visit) => ({ id: visit.step, visit })));
const visitAt = new Map(visits.map((visit, i) => [visit.step, order.length + i]));
const firstSender = steps.map((_, id) => Math.min(...uses[id].map((use) => visitAt.get(use) ?? Infinity)));
let sum = 0;
const keptForward = order.map((id) => (sum += steps[id].addedBytes));
let left = savedBytes;
const keptBackward = visits.map((visit) => (left -= steps[visit.step].addedBytes));
let at = 0;
let timer = null;

const links = (place, ids, none) => {
  place.textContent = "";
  if (ids.length === 0) place.textContent = none;
  ids.forEach((entry) => {
    if (typeof entry === "string") { place.append(element("span", entry), " "); return; }
    const button = element("button", `%${entry} ${label(entry)}`);
    button.type = "button";
    button.addEventListener("click", () => { visit(entry); buttons[entry].focus({ preventScroll: true }); });
    place.append(button, " ");
  });
};

function details({ id, visit }) {
  const step = steps[id];
  byId("d-op").textContent = step.variable ? "variable" : step.op;
  byId("d-name").textContent = [step.name, `%${id}`].filter(Boolean).join(" · ");
  byId("d-shape").textContent = `${step.shape} · ${step.size.toLocaleString("en")} ${step.size === 1 ? "number" : "numbers"}`;
  links(byId("d-inputs"), step.inputs.map((input) => (input.step === null ? `const${input.shape}` : input.step)), "none");
  links(byId("d-uses"), uses[id], "nothing: it is an output");
  const keeps = step.inputs.filter((input) => input.saved).map((input) => (input.step === null ? `const${input.shape}` : `%${input.step}`));
  if (step.savesOutput) keeps.push("its output");
  const shared = step.savedBytes - step.addedBytes;
  byId("d-keeps").textContent = keeps.length === 0 ? "nothing" : `${keeps.join(", ")}: ${exactBytes(step.savedBytes)}${shared > 0 ? `, of which earlier steps keep ${bytes(shared)}` : ""}`;
  byId("d-total").textContent = exactBytes(visit ? keptBackward[at - order.length] : keptForward[at]);
  for (const part of document.querySelectorAll("dl .back")) part.hidden = !visit;
  if (visit) {
    byId("d-norm").textContent = short(visit.norm);
    byId("d-micros").textContent = step.variable ? "none: the gradient stays here" : time(visit.micros);
  }
  const code = byId("d-code");
  code.hidden = !step.site;
  if (step.site) {
    byId("d-site").textContent = `${step.site.file}:${step.site.line}`;
    const known = sources[step.site.file] || {};
    const lines = [-2, -1, 0, 1, 2].map((d) => step.site.line + d).filter((n) => known[n] !== undefined);
    const indent = Math.min(...lines.filter((n) => known[n].trim()).map((n) => known[n].search(/\S/)));
    const pre = code.querySelector("pre");
    pre.hidden = lines.length === 0;
    pre.replaceChildren(...lines.map((n) => {
      const line = element("span", "", n === step.site.line ? "called" : "");
      line.append(element("b", String(n)), known[n].slice(indent) || " ");
      return line;
    }));
  }
}

const strip = byId("strip").firstElementChild;
const cursor = svgElement("rect", { class: "cursor", y: 0, height: 100 });
function drawStrip() {
  const count = walk.length;
  strip.setAttribute("viewBox", `0 0 ${count} 100`);
  const most = Math.max(savedBytes, 1);
  const area = keptForward.map((kept, i) => `V${100 - (92 * kept) / most}H${i + 1}`).join("");
  strip.append(svgElement("path", { class: "bytes", d: `M0 100${area}V100z` }));
  const norms = visits.map(({ norm }) => (typeof norm === "number" && norm > 0 ? Math.log(norm) : NaN));
  const known = norms.filter((x) => !Number.isNaN(x));
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const bars = norms.map((x, i) => {
    const height = Number.isNaN(x) ? 2 : high > low ? 12 + (80 * (x - low)) / (high - low) : 60;
    return `M${order.length + i + 0.1} 100v-${height}h0.8v${height}z`;
  });
  strip.append(svgElement("path", { class: "norm", d: bars.join("") }), cursor);
  cursor.setAttribute("width", Math.max(count / 400, 0.12));
}

function show(position, { scroll = true } = {}) {
  at = Math.max(0, Math.min(walk.length - 1, position));
  const { id, visit } = walk[at];
  document.body.classList.toggle("backward", Boolean(visit));
  steps.forEach((step, other) => {
    let state = "done";
    if (!visit) state = row.get(other) <= at ? "done" : "ahead";
    else if ((visitAt.get(other) ?? Infinity) <= at) state = "read";
    else if (firstSender[other] < at) state = "pending";
    const now = other === id;
    nodes[other].setAttribute("class", `node ${state}${step.savesOutput ? " keeps" : ""}`);
    buttons[other].className = `${state}${now ? " now" : ""}`;
    if (now) buttons[other].setAttribute("aria-current", "step");
    else buttons[other].removeAttribute("aria-current");
    const norm = buttons[other].lastElementChild;
    const read = state === "read";
    norm.className = read ? "norm" : "bytes";
    norm.textContent = read ? `‖g‖ ${short(visits[visitAt.get(other) - order.length].norm)}` : step.savedBytes > 0 ? bytes(step.savedBytes) : "";
  });
  for (const { from, to, path, saved } of edges) {
    const state = to === id ? "now" : !visit && row.get(to) > at ? "ahead" : "";
    path.setAttribute("class", `${saved ? "saved " : ""}${state}`);
  }
  const [x, y] = middle(id);
  halo.setAttribute("cx", x);
  halo.setAttribute("cy", y);
  const phase = visit ? `Backward ${at - order.length + 1} of ${visits.length}` : `Forward ${at + 1} of ${order.length}`;
  byId("place").textContent = phase;
  const slider = byId("slider");
  slider.value = at;
  slider.setAttribute("aria-valuetext", `${phase}: ${label(id)}`);
  cursor.setAttribute("x", at + 0.5 - Number(cursor.getAttribute("width")) / 2);
  byId("first").disabled = byId("previous").disabled = at === 0;
  byId("last").disabled = byId("next").disabled = at === walk.length - 1;
  byId("turn").textContent = visit ? "Forward" : "Backward";
  details(walk[at]);
  if (scroll) {
    const list = byId("tape-list");
    const top = row.get(id) * ROW;
    const margin = Math.min(2 * ROW, list.clientHeight / 3);
    if (top - margin < list.scrollTop) list.scrollTop = top - margin;
    if (top + ROW + margin > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW + margin - list.clientHeight;
  }
  if (at === walk.length - 1) stop();
}

/** To a step, in the phase that the walk is in. */
function visit(id) {
  stop();
  const back = walk[at].visit && visitAt.get(id);
  show(back ?? row.get(id), { scroll: true });
}
function stop() {
  clearInterval(timer);
  timer = null;
  byId("play").setAttribute("aria-pressed", "false");
}
function play() {
  if (timer !== null) { stop(); return; }
  if (at === walk.length - 1) show(0);
  byId("play").setAttribute("aria-pressed", "true");
  timer = setInterval(() => show(at + 1), Math.max(40, Math.min(700, 60000 / walk.length)));
}
const go = (position) => { stop(); show(position); };
/** To the same step in the other phase; to the first visit if the sweep has not reached it. */
const turn = () => go(walk[at].visit ? row.get(walk[at].id) : visitAt.get(walk[at].id) ?? order.length);

const keys = {
  ArrowRight: () => go(at + 1), ArrowDown: () => go(at + 1), ArrowLeft: () => go(at - 1), ArrowUp: () => go(at - 1),
  PageDown: () => go(at + 10), PageUp: () => go(at - 10), Home: () => go(0), End: () => go(walk.length - 1), t: turn, " ": play,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
  // A button that has the focus takes the space for itself.
  if (event.key === " " && event.target instanceof HTMLButtonElement) return;
  event.preventDefault();
  keys[event.key]();
});
byId("first").addEventListener("click", () => go(0));
byId("previous").addEventListener("click", () => go(at - 1));
byId("next").addEventListener("click", () => go(at + 1));
byId("last").addEventListener("click", () => go(walk.length - 1));
byId("play").addEventListener("click", play);
byId("turn").addEventListener("click", turn);
byId("slider").addEventListener("input", (event) => go(Number(event.target.value)));
byId("strip").addEventListener("click", (event) => {
  const { left: edge, width } = byId("strip").getBoundingClientRect();
  go(Math.floor(((event.clientX - edge) / width) * walk.length));
});

if (walk.length === 0) {
  byId("summary").textContent = "There are no steps on this tape: nothing was recorded.";
  byId("controls").hidden = byId("strip").hidden = true;
  document.querySelector("main").hidden = true;
} else {
  const variables = steps.filter((step) => step.variable).length;
  const micros = visits.reduce((all, visit) => all + visit.micros, 0);
  const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
  const parts = [counted(steps.length - variables, "op"), counted(variables, "variable"), `${bytes(savedBytes)} kept for the rules`];
  if (visits.length > 0) parts.push(`the rules took ${time(micros)}`);
  byId("summary").textContent = parts.join(" · ");
  byId("slider").max = walk.length - 1;
  byId("turn").disabled = visits.length === 0;
  drawStrip();
  draw();
  show(0);
  new ResizeObserver(() => { draw(); show(at, { scroll: false }); }).observe(byId("tape-list"));
}
