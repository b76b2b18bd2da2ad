// Draws each [data-chart] canvas from the JSON beside it, in the page's own colours and type.

const styles = () => getComputedStyle(document.documentElement);
const token = (name) => styles().getPropertyValue(name).trim();
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const charts = [];

function written(value, unit) {
  if (unit !== "cost") return compact.format(value);
  const places = value === 0 || value >= 0.1 ? 2 : value >= 0.001 ? 4 : 6;
  return "$" + value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
}

function onAxis(value, unit) {
  return (unit === "cost" ? "$" : "") + compact.format(value);
}

function options(unit) {
  const grid = { color: token("--line"), drawTicks: false };
  const ticks = { color: token("--ink-2"), padding: 8 };
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: false,
    interaction: { mode: "index", intersect: false },
    scales: {
      x: { stacked: true, grid: { display: false }, border: { color: token("--line") },
        ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 18 } },
      y: { stacked: true, beginAtZero: true, grid, border: { display: false },
        ticks: { ...ticks, maxTicksLimit: 6, callback: (value) => onAxis(value, unit) } },
    },
    plugins: {
      legend: { position: "bottom", align: "start",
        labels: { color: token("--ink"), boxWidth: 10, boxHeight: 10, useBorderRadius: true, borderRadius: 2, padding: 14 } },
      tooltip: {
        backgroundColor: token("--ink"), titleColor: token("--ground"), bodyColor: token("--ground"),
        footerColor: token("--ground"), padding: 10, cornerRadius: 6, boxPadding: 4, itemSort: (a, b) => b.raw - a.raw,
        filter: (item) => item.raw > 0,
        callbacks: {
          label: (item) => `${item.dataset.label}: ${written(item.raw, unit)}`,
          footer: (items) => items.length > 1
            ? `Together: ${written(items.reduce((sum, item) => sum + item.raw, 0), unit)}` : "",
        },
      },
    },
  };
}

function draw(canvas) {
  const data = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
  const last = data.series.length - 1;
  const datasets = data.series.map(({ name, values }, index) => ({
    label: name,
    data: values,
    backgroundColor: token(`--series-${(index % 8) + 1}`),
    borderColor: token("--surface"),
    borderWidth: { top: index === last ? 0 : 1 },
    borderRadius: 2,
    maxBarThickness: 34,
  }));
  return new Chart(canvas, { type: "bar", data: { labels: data.labels, datasets }, options: options(data.unit) });
}

function drawAll() {
  while (charts.length) charts.pop().destroy();
  Chart.defaults.font.family = token("--sans");
  Chart.defaults.font.size = 12.5;
  for (const canvas of document.querySelectorAll("[data-chart]")) charts.push(draw(canvas));
}

document.fonts.ready.then(drawAll);
addEventListener("themechange", drawAll);
addEventListener("beforeprint", () => { for (const chart of charts) chart.resize(); });
document.querySelector("[data-print]")?.addEventListener("click", () => print());
