// Shows the frames of /ws/live/ as they come, at most one a second, and says when none do.

const NOT_SIGNED_IN = 4401;
const SECONDS = 120;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 20000;

const page = document.querySelector("[data-live]");
const state = document.querySelector("[data-live-state]");
const history = Array(SECONDS).fill(null);
let latest = null;
let pause = FIRST_PAUSE_MS;
let chart = null;

const write = (value) => value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 1 : 0 });

function say(text, kind) {
  state.className = `beat ${kind}`;
  if (state.textContent !== text) state.textContent = text;
}

function cell(tag, text, isNumber) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (isNumber) made.className = "num";
  if (tag === "th") made.scope = "row";
  return made;
}

function fill(body, rows) {
  const columns = body.dataset.columns.split(" ");
  const made = rows.map((row) => {
    const line = document.createElement("tr");
    columns.forEach((name, index) => line.append(cell(index ? "td" : "th", row[name] || "–", false)));
    line.append(cell("td", write(row.in_flight), true), cell("td", write(row.tokens_per_second), true));
    return line;
  });
  if (!made.length) {
    const line = document.createElement("tr");
    const quiet = cell("td", "Nothing in flight.", false);
    quiet.colSpan = columns.length + 2;
    quiet.className = "quiet";
    line.append(quiet);
    made.push(line);
  }
  body.replaceChildren(...made);
}

function show(frame) {
  latest = frame;
  for (const element of page.querySelectorAll("[data-live-value]")) {
    element.textContent = write(frame[element.dataset.liveValue]);
  }
  for (const body of page.querySelectorAll("[data-live-rows]")) fill(body, frame[body.dataset.liveRows]);
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}${page.dataset.live}`);
  socket.addEventListener("open", () => { pause = FIRST_PAUSE_MS; say("Connected", "good"); });
  socket.addEventListener("message", (event) => show(JSON.parse(event.data)));
  socket.addEventListener("close", (event) => {
    latest = null;
    if (event.code === NOT_SIGNED_IN) { location.reload(); return; }
    say("Connection lost; trying again", "bad");
    setTimeout(connect, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  });
}

function draw() {
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  chart?.destroy();
  Chart.defaults.font.family = token("--sans");
  chart = new Chart(page.querySelector("[data-live-chart]"), {
    type: "line",
    data: {
      labels: history.map((_, index) => `${SECONDS - index} s ago`),
      datasets: [{ label: "Tokens per second", data: history, borderColor: token("--series-1"), borderWidth: 2,
        backgroundColor: `color-mix(in srgb, ${token("--series-1")} 14%, transparent)`, fill: true, pointRadius: 0,
        tension: .25 }],
    },
    options: {
      responsive: true, maintainAspectRatio: false, animation: false, interaction: { mode: "index", intersect: false },
      plugins: { legend: { display: false } },
      scales: {
        x: { display: false },
        y: { beginAtZero: true, suggestedMax: 10, border: { display: false }, grid: { color: token("--line") },
          ticks: { color: token("--ink-2"), maxTicksLimit: 4 } },
      },
    },
  });
}

// A frame comes only where something has changed: the clock moves the chart on.
setInterval(() => {
  history.push(latest ? latest.tokens_per_second : null);
  history.shift();
  chart?.update();
}, 1000);

document.fonts.ready.then(draw);
addEventListener("themechange", draw);
connect();
