"use strict";
/* The forward pass of the models of the course, and the page around it. `counting` is all that other scripts see. */
const counting = (() => {
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const DIGITS = {thousands: 1000, hundreds: 100, tens: 10, ones: 1};
const index = new Map(data.vocab.map((w, i) => [w, i]));
const DOT = index.get(".");

/* Numbers and words */
const low = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
  "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"];
const high = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
function spell(n) {
  const words = [];
  if (n >= 1000) words.push(low[Math.floor(n/1000)], "thousand");
  if (n%1000 >= 100) words.push(low[Math.floor(n%1000/100)], "hundred");
  const rest = n%100;
  if (rest >= 20) words.push(high[Math.floor(rest/10)], low[rest%10]);
  else words.push(low[rest]);
  return words.filter(w => w).join(" ");
}
const numbers = new Map();
for (let n = 1; n < 10000; n++) numbers.set(spell(n), n);
const nextNumber = n => n === 7999 ? 8001 : n >= 9999 ? null : n+1;
const grouped = n => String(n).replace(/(\d)(?=(\d{3})+$)/g, "$1,");

/* The number that was typed; throws a sentence */
function parseStart(typed) {
  const words = typed.toLowerCase().replace(/([a-z])-(?=[a-z])/g, "$1 ").replace(/,/g, "").trim().split(/\s+/).join(" ");
  if (!words) throw new Error("Type a number from 1 to 9,999, in digits or in words.");
  if (/^[-+]?[\d.]+$/.test(words)) {
    const n = Number(words);
    if (Number.isInteger(n) && n >= 1 && n <= 9999) return n;
    throw new Error(`The number must be a whole number from 1 to 9,999, and this is ${words.slice(0, 20)}.`);
  }
  const plain = words.replace(/ and /g, " ");
  if (numbers.has(plain)) return numbers.get(plain);
  const strange = plain.split(" ").find(w => !index.has(w));
  if (strange) throw new Error(`The network knows ${data.vocab.length} words, and “${strange.slice(0, 20)}” is not one of them.`);
  throw new Error(`“${plain.slice(0, 40)}” is not a number from 1 to 9,999 as the text spells it.`);
}

/* Weights: for each row a scale with 16 bits, and numbers with 8; numbers with 16 bits for a vector */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, e = bits >> 10 & 31, m = bits & 1023;
  return sign*(e ? (1+m/1024)*2**(e-15) : m*2**-24);
}
function unpack(model, bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), out = {};
  let at = 0;
  for (const [name, shape] of model.tensors) {
    const [rows, columns] = shape.length > 1 ? shape : [shape[0], 0];
    const first = [];
    for (let r = 0; r < rows; r++, at += 2) first.push(half(view.getUint16(at, true)));
    if (!columns) { out[name] = Float32Array.from(first); continue; }
    const w = new Float32Array(rows*columns);
    for (let r = 0, k = 0; r < rows; r++) for (let c = 0; c < columns; c++, k++) w[k] = first[r]*view.getInt8(at++);
    out[name] = w;
  }
  return out;
}
async function inflate(text) {
  const packed = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/* One step of each kind of layer, as in PyTorch */
function affine(w, b, x, xAt = 0, n = x.length) {
  const out = new Float64Array(b.length);
  for (let r = 0, k = 0; r < b.length; r++) {
    let sum = b[r];
    for (let c = 0; c < n; c++, k++) sum += w[k]*x[xAt+c];
    out[r] = sum;
  }
  return out;
}
const sigmoid = v => 1/(1+Math.exp(-v));
const GATES = {
  gru: {reset: ["Reset gate at 0: the new part is made without the old state", 0],
        update: ["Update gate at 1: the old state stays, and nothing new comes in", 1]},
  lstm: {input: ["Input gate at 0: nothing new comes in", 0], forget: ["Forget gate at 0: nothing old is kept", 0],
         output: ["Output gate at 0: the cell can't be seen", 0]},
};
const CELLS = {
  plain(w, l, x, [h], n, net) {
    const sum = h.map((v, i) => v+x[i]);
    return [affine(w["h_h.weight"], w["h_h.bias"], sum).map(v => Math.max(v, 0))];
  },
  rnn(w, l, x, [h], n, net) {
    const a = affine(w[`rnn.weight_ih_l${l}`], w[`rnn.bias_ih_l${l}`], x);
    const b = affine(w[`rnn.weight_hh_l${l}`], w[`rnn.bias_hh_l${l}`], h);
    return [a.map((v, i) => net.model.relu ? Math.max(v+b[i], 0) : Math.tanh(v+b[i]))];
  },
  gru(w, l, x, [h], n, net) {
    const a = affine(w[`rnn.weight_ih_l${l}`], w[`rnn.bias_ih_l${l}`], x);
    const b = affine(w[`rnn.weight_hh_l${l}`], w[`rnn.bias_hh_l${l}`], h);
    const r = net.gate("reset", l, h.map((_, i) => sigmoid(a[i]+b[i])));
    const z = net.gate("update", l, h.map((_, i) => sigmoid(a[n+i]+b[n+i])));
    return [h.map((v, i) => (1-z[i])*Math.tanh(a[2*n+i]+r[i]*b[2*n+i])+z[i]*v)];
  },
  lstm(w, l, x, [h, c], n, net) {
    const a = affine(w[`rnn.weight_ih_l${l}`], w[`rnn.bias_ih_l${l}`], x);
    const b = affine(w[`rnn.weight_hh_l${l}`], w[`rnn.bias_hh_l${l}`], h);
    const s = k => h.map((_, i) => sigmoid(a[k*n+i]+b[k*n+i]));
    const i = net.gate("input", l, s(0)), f = net.gate("forget", l, s(1)), o = net.gate("output", l, s(3));
    const cell = c.map((v, k) => f[k]*v+i[k]*Math.tanh(a[2*n+k]+b[2*n+k]));
    return [cell.map((v, k) => o[k]*Math.tanh(v)), cell];
  },
};

/* A network: its weights, its state as one row as in `state_as_row`, and the gates of the last word */
class Net {
  constructor(model, weights) {
    Object.assign(this, {model, weights, held: new Set()});
    this.clear();
  }
  clear() {
    this.state = new Float64Array(this.model.layers*this.model.parts*this.model.n);
    this.gates = {};
    this.score();
  }
  gate(name, l, values) {
    if (this.held.has(name)) values.fill(GATES[this.model.cell][name][1]);
    (this.gates[name] = this.gates[name] || [])[l] = values;
    return values;
  }
  feed(word) {
    const {n, layers, parts, cell} = this.model, w = this.weights;
    let x = w["i_h.weight"].subarray(word*n, (word+1)*n);
    const after = new Float64Array(this.state.length);
    this.gates = {};
    for (let l = 0; l < layers; l++) {
      const part = k => this.state.slice((l*parts+k)*n, (l*parts+k+1)*n);
      const now = CELLS[cell](w, l, x, Array.from({length: parts}, (_, k) => part(k)), n, this);
      now.forEach((values, k) => after.set(values, (l*parts+k)*n));
      x = now[0];
    }
    this.state = after;
    this.score();
  }
  score() {
    const {n, layers, parts} = this.model, w = this.weights;
    this.logits = affine(w["h_o.weight"] || w["i_h.weight"], w["h_o.bias"], this.state, (layers-1)*parts*n, n);
  }
  best() { return this.logits.indexOf(Math.max(...this.logits)); }
  shares() {
    const top = Math.max(...this.logits), e = Array.from(this.logits, v => Math.exp(v-top));
    const sum = e.reduce((a, b) => a+b);
    return e.map(v => v/sum);
  }
  digits() {
    const scores = affine(this.weights["probe.weight"], this.weights["probe.bias"], this.state), out = {};
    Object.keys(DIGITS).forEach((name, d) => {
      const own = scores.subarray(10*d, 10*d+10);
      out[name] = own.indexOf(Math.max(...own));
    });
    return out;
  }
  change(digit, from, to) {
    const d = Object.keys(DIGITS).indexOf(digit), size = this.state.length, means = this.weights.means;
    this.state = this.state.map((v, i) => v+means[(10*d+to)*size+i]-means[(10*d+from)*size+i]);
    this.score();
  }
}

/* What has been said, and what was due */
const KEEP = 24;
const nets = new Map();
let net, words, due, last, place, good, said, right, first, snapshot, past, timer = null;

function snap() { return {state: net.state, due, last, place, good, said, right, first}; }
function restore(s) {
  ({due, last, place, good, said, right, first} = s);
  net.state = s.state;
  net.score();
}
function remember() {
  past.push({state: net.state, gates: net.gates});
  if (past.length > KEEP) past.shift();
}
function begin(start, before = 0) {
  net.clear();
  [words, past, good, said, right, first, place, snapshot] = [[], [], true, 0, 0, null, 0, null];
  for (let n = Math.max(1, start-before); n <= start; n++) {
    if (n === 8000 && n !== start) continue;
    for (const w of [...spell(n).split(" "), "."]) {
      words.push({word: w, kind: "read"});
      net.feed(index.get(w));
      remember();
    }
  }
  [due, last] = [nextNumber(start), start];
}
/* The five likeliest next words, and how likely they are */
function likeliest() {
  return [...net.shares()].map((p, i) => [p, data.vocab[i]]).sort((a, b) => b[0]-a[0]).slice(0, 5);
}
/* Add a word, and judge it */
function add(word, kind) {
  snapshot = {...snap(), words: words.length};
  const want = [...spell(due).split(" "), "."][place], ok = word === want;
  const why = ok || kind ? null : {want, due, top: likeliest(), share: net.shares()[index.get(want)], digits: net.digits(),
    before: words.filter(w => !w.hidden).slice(-14).map(w => w.word).join(" ")};
  words.push({word, kind: kind || (ok ? "right" : "wrong"), why});
  good = good && ok;
  if (word === ".") {
    said++;
    if (good) right++;
    else if (first === null) first = due;
    [due, last, place, good] = [nextNumber(due), due, 0, true];
  } else place++;
  net.feed(index.get(word));
  remember();
}
function step() {
  if (due === null) return false;
  add(data.vocab[net.best()]);
  return due !== null;
}
/* Words since the last full stop, or those of the last number if a full stop is the last word */
function tail() {
  const all = words.filter(w => !w.note).map(w => w.word), ended = all[all.length-1] === ".";
  const end = ended ? all.length-1 : all.length;
  return {text: all.slice(end ? all.lastIndexOf(".", end-1)+1 : 0, end).join(" "), ended};
}
function overwrite(word) {
  if (!snapshot) return "Let it say a word first: what it has read can't be replaced.";
  words.length = snapshot.words;
  past.pop();
  restore(snapshot);
  const again = snapshot;
  add(word, "yours");
  snapshot = again;
  const {text, ended} = tail();
  if (ended && numbers.has(text)) [last, place, good] = [numbers.get(text), 0, true];
  if (ended) due = nextNumber(last);
  else if (!ended) {
    const fits = [...numbers].filter(([s, n]) => n !== 8000 && `${s} `.startsWith(`${text} `)).map(([, n]) => n);
    if (fits.length) [due, place, good] = [fits.find(n => n >= again.due) || fits[0], text.split(" ").length, true];
  }
  return "";
}
function edit(digit, to) {
  for (let i = 0; i < 12 && words[words.length-1].word !== "."; i++) if (!step()) break;
  const {text, ended} = tail();
  if (!ended) return "The network does not come to a full stop, so no digit can be changed.";
  const read = net.digits(), known = numbers.get(text);
  const n = known || Object.entries(DIGITS).reduce((sum, [d, weight]) => sum+weight*read[d], 0);
  const from = Math.floor(n/DIGITS[digit])%10, now = n+(to-from)*DIGITS[digit];
  if (from === to) return `The ${digit} digit of ${grouped(n)} is ${to} already.`;
  if (now < 1) return "The text has no zero, so this digit can't become 0.";
  net.change(digit, from, to);
  [snapshot, due, last, place, good] = [null, nextNumber(now), now, 0, true];
  past[past.length-1] = {state: net.state, gates: net.gates};
  words.push({word: `[${digit} digit: ${from} → ${to}]`, kind: "yours", note: true});
  for (const w of [...spell(now).split(" "), "."]) words.push({word: w, hidden: true});
  return "";
}

/* What is seen */
function text(element, value) { if (element.textContent !== value) element.textContent = value; }
function make(tag, className, content) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (content !== undefined) e.textContent = content;
  return e;
}
function colour(name) {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map(i => parseInt(hex.slice(i, i+2), 16));
}
function heat(canvas, rows, mix) {
  const wide = rows[0].length, tall = KEEP;
  [canvas.width, canvas.height] = [wide, tall];
  canvas.style.height = `${tall*6}px`;
  const context = canvas.getContext("2d"), image = context.createImageData(wide, tall);
  rows.forEach((row, r) => row.forEach((v, c) => {
    const at = 4*((tall-rows.length+r)*wide+c);
    mix(v).forEach((part, k) => { image.data[at+k] = part; });
    image.data[at+3] = 255;
  }));
  context.putImageData(image, 0, 0);
}
const between = (a, b, share) => a.map((v, i) => v+(b[i]-v)*Math.min(1, Math.max(0, share)));
function drawState() {
  const [zero, plus, minus] = ["--zero", "--plus", "--minus"].map(colour), {order, sizes} = net.model;
  heat($("state"), past.map(p => order.map(u => p.state[u]/sizes)),
    v => between(zero, v > 0 ? plus : minus, Math.abs(v)));
}
function drawGates() {
  const [shut, open] = ["--shut", "--open"].map(colour), {n, parts, order} = net.model;
  const place = order.filter(u => Math.floor(u/n)%parts === 0).map(u => [Math.floor(u/n/parts), u%n]);
  for (const canvas of $("gates").querySelectorAll("canvas")) {
    const rows = past.filter(p => p.gates[canvas.dataset.gate])
      .map(p => place.map(([l, u]) => p.gates[canvas.dataset.gate][l][u]));
    if (rows.length) heat(canvas, rows, v => between(shut, open, v));
  }
}
const named = word => word === "." ? "full stop" : word;
const percent = p => `${(100*p).toFixed(1)} %`;
/* A wrong word is a button that opens its anatomy */
function wrongWord(w) {
  const button = make("button", "wrong", w.word);
  button.type = "button";
  button.setAttribute("aria-label", `${w.word}, wrong: why?`);
  button.addEventListener("click", () => { stop(); explain(w); });
  return button;
}
/* What it had read before a wrong word, what it thought likely, and which digits its state held */
function explain({word, why}) {
  const digits = Object.keys(DIGITS).map(name => `${name} ${why.digits[name]}`).join(", ");
  const rows = [["It had read", `… ${why.before}`], ["It said", named(word)],
    ["Due was", why.want ? `${named(why.want)} (${percent(why.share)}), for ${grouped(why.due)}`
      : `nothing: ${grouped(why.due)} was complete`],
    ["It thought likely", why.top.map(([p, w]) => `${named(w)} ${percent(p)}`).join(", ")],
    ["Digits in its state", digits]];
  $("anatomy-rows").replaceChildren(...rows.flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
  $("anatomy").hidden = false;
  $("anatomy").focus();
}
function closeAnatomy() {
  if ($("anatomy").hidden) return;
  $("anatomy").hidden = true;
  $("step").focus();
}
function drawWords() {
  const shown = words.filter(w => !w.hidden).slice(-240);
  $("words").replaceChildren(...shown.flatMap(w => [w.why ? wrongWord(w) : make("span", w.kind, w.word), " "]));
  $("words").scrollTop = $("words").scrollHeight;
  const share = said ? ` Numbers said right: ${grouped(right)} of ${grouped(said)}.` : " It has not finished a number yet.";
  const mistake = first === null ? "" : ` The first mistake was where ${grouped(first)} was due.`;
  const at = due === null ? "The text ends at 9,999." : `Due is ${grouped(due)}.`;
  text($("score"), `${at}${share}${mistake}`);
}
function drawNext() {
  $("next").replaceChildren(...likeliest().map(([p, word]) => {
    const li = make("li"), track = make("span"), bar = make("span", "bar");
    bar.style.width = `${100*p}%`;
    track.append(bar);
    li.append(make("span", "", word === "." ? ". (full stop)" : word), track, make("span", "share", percent(p)));
    return li;
  }));
}
function drawDigits() {
  const read = net.digits(), truth = tail().ended ? last : due;
  $("digits").replaceChildren(...Object.entries(DIGITS).map(([name, weight]) => {
    const tr = make("tr"), is = truth ? Math.floor(truth/weight)%10 : null;
    const th = make("th", "", name);
    th.scope = "row";
    const a = make("td"), b = make("td");
    a.append(make("span", is === null ? "read" : is === read[name] ? "right" : "wrong", String(read[name])));
    b.append(make("span", "", is === null ? "–" : String(is)));
    tr.append(th, a, b);
    return tr;
  }));
}
function draw() {
  drawWords();
  drawNext();
  drawDigits();
  drawState();
  drawGates();
  $("word").value = tail().ended ? "." : words[words.length-1].word;
}
function say(sentence) { text($("message"), sentence); }

/* What can be done */
const SPEEDS = [1, 2, 5, 12, 30, 60];
function stop() {
  clearTimeout(timer);
  timer = null;
  text($("play"), "Play");
}
function play() {
  const more = step();
  draw();
  if (more) timer = setTimeout(play, 1000/SPEEDS[$("speed").value]);
  else stop();
  if (due === null) say("The text ends at 9,999. Press Reset to start again.");
}
function reset() {
  stop();
  let start;
  try { start = parseStart($("start").value); }
  catch (e) {
    $("start").setAttribute("aria-invalid", "true");
    say(e.message);
    return false;
  }
  $("start").removeAttribute("aria-invalid");
  $("anatomy").hidden = true;
  begin(start, Number($("before").value));
  say(start === 8000 ? "The text has no 8,000, so the network has never read it." :
    start === 9999 ? "The text ends at 9,999, so there is nothing to count." : "");
  draw();
  return true;
}
function choose(name) {
  net = nets.get(name);
  const {cell, order, groups, about} = net.model, gates = Object.entries(GATES[cell] || {});
  net.held.clear();
  text($("about"), about);
  $("gates-section").hidden = $("held-set").hidden = !gates.length;
  $("gates").replaceChildren(...gates.map(([gate]) => {
    const figure = make("figure"), canvas = make("canvas");
    canvas.dataset.gate = gate;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `The ${gate} gates of all units after each of the last words`);
    figure.append(make("figcaption", "", `${gate} gate`), canvas);
    return figure;
  }));
  $("held").replaceChildren(...gates.map(([gate, [sentence]]) => {
    const label = make("label"), box = make("input");
    box.type = "checkbox";
    box.id = `hold-${gate}`;
    box.addEventListener("change", () => box.checked ? net.held.add(gate) : net.held.delete(gate));
    label.append(box, ` ${sentence}`);
    return label;
  }));
  const held = groups.map(([label, count]) => `${label} (${count})`).join(", ");
  text($("state-legend"), `A row for each word, the newest at the bottom; a column for each of the ${order.length} ` +
    `units, sorted by what explains most of how they vary. From left to right: ${held}.`);
  reset();
}
const meddle = does => () => {
  say(does() || "");
  draw();
};
function connect() {
  $("model").replaceChildren(...data.models.map(m => make("option", "", m.name)));
  $("word").replaceChildren(...data.vocab.map(w => make("option", "", w)));
  $("digit").replaceChildren(...Object.keys(DIGITS).map(d => make("option", "", d)));
  $("value").replaceChildren(...Array.from({length: 10}, (_, k) => make("option", "", String(k))));
  $("digit").value = "hundreds";
  $("value").value = "3";
  $("start").value = String(data.start);
  $("model").value = data.model;
  const speed = () => text($("speed-said"), `${SPEEDS[$("speed").value]} words a second`);
  speed();
  $("speed").addEventListener("input", speed);
  $("model").addEventListener("change", () => choose($("model").value));
  $("start-form").addEventListener("submit", e => { e.preventDefault(); reset(); });
  $("before").addEventListener("change", reset);
  $("step").addEventListener("click", () => {
    stop();
    say(step() || due !== null ? "" : "The text ends at 9,999. Press Reset to start again.");
    draw();
  });
  $("play").addEventListener("click", () => {
    if (timer !== null) return stop();
    say("");
    text($("play"), "Pause");
    play();
  });
  $("anatomy-close").addEventListener("click", closeAnatomy);
  document.addEventListener("keydown", e => { if (e.key === "Escape") closeAnatomy(); });
  $("overwrite").addEventListener("click", meddle(() => overwrite($("word").value)));
  $("clear").addEventListener("click", meddle(() => {
    net.clear();
    past.push({state: net.state, gates: {}});
    snapshot = null;
  }));
  $("edit").addEventListener("click", meddle(() => edit($("digit").value, Number($("value").value))));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
async function load() {
  for (const m of data.models) nets.set(m.name, new Net(m, unpack(m, await inflate(m.weights))));
  connect();
  choose(data.model);
}
const ready = load().catch(e => {
  say(`The page could not start: ${e.message}. It needs a browser from 2023 or later.`);
  throw e;
});
return {ready, data, nets, spell, parseStart, index};
})();
