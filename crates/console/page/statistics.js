// Over time: charts of the last hour, day and month, and the high-water marks.

import { chart } from "./chart.js";
import { cell, element, onChange, onClick, questions, row } from "./dom.js";
import { look, save } from "./server.js";
import { END, many, number, when } from "./words.js";

export function showStatistics() {
  const [asks, asksPeaks] = [questions(), questions()];

  onChange(element("span"), () => load());
  onChange(element("peaks-by"), () => loadPeaks());
  onClick(element("peaks-csv"), () => save(`statistics/peaks.csv?by=${element("peaks-by").value}`, "peaks.csv"));
  onClick(element("peaks-json"), () => save(`statistics/peaks?by=${element("peaks-by").value}`, "peaks.json"));

  async function load({ passive = false } = {}) {
    const span = element("span").value;
    const isLast = asks();
    const data = await look(`statistics?span=${span}`, { passive });
    if (!isLast()) return;
    element("charts").replaceChildren(...charts(span, data));
    await loadPeaks(passive);
  }

  async function loadPeaks(passive = false) {
    const isLast = asksPeaks();
    const { peaks } = await look(`statistics/peaks?by=${element("peaks-by").value}`, { passive });
    if (!isLast()) return;
    element("peaks").replaceChildren(...peaks.toReversed().slice(0, 31).map((peak) => row("peak",
      cell("Of", peak.from), cell("Seats", number(peak.seats)), cell("Reached", when(peak.at)), cell("Sessions", number(peak.sessions)))));
  }

  return { load };
}

function charts(span, { points, durations, logins_per_day: days }) {
  const labels = points.map(({ at }) => tick(span, at));
  const of = (name) => points.map((point) => point[name]);
  const total = (values) => values.reduce((all, value) => all + value, 0);
  const most = (values) => Math.max(0, ...values);
  const [seats, sessions, logins, refusals] = ["seats", "sessions", "logins", "refusals"].map(of);
  const reasons = Object.keys(END).filter((reason) => points.some(({ ends }) => ends[reason]));
  const ends = reasons.map((reason) => ({ name: END[reason], values: points.map((point) => point.ends[reason] ?? 0) }));
  return [
    chart({
      testid: "chart-seats", title: "Seats and sessions", kind: "lines", labels,
      series: [{ name: "sessions", values: sessions }, { name: "seats in use", values: seats }],
      sentence: `At most ${many(most(seats), "seat")} and ${many(most(sessions), "session")} at a time, of the whole site.`,
    }),
    chart({
      testid: "chart", title: "Logins", kind: "bars", labels,
      series: [{ name: "logins", values: logins }, { name: "turned away", values: refusals }],
      sentence: `${many(total(logins), "login")}, ${number(total(refusals))} turned away, on this node.`,
    }),
    chart({
      testid: "chart", title: "Ends by reason", kind: "bars", labels, series: ends.length ? ends : [{ name: "ends", values: labels.map(() => 0) }],
      sentence: ends.length ? `${ends.map(({ name, values }) => `${number(total(values))} ${name}`).join(", ")}; told on this node.` : "No session ended.",
    }),
    chart({
      testid: "chart", title: "Refreshes", kind: "bars", labels, series: [{ name: "refreshes", values: of("refreshes") }],
      sentence: `${many(total(of("refreshes")), "refresh", "refreshes")} on this node.`,
    }),
    chart({
      testid: "chart", title: "How long sessions lasted", kind: "bars", labels: durations.map(({ up_to: upTo }) => brief(upTo)),
      series: [{ name: "sessions", values: durations.map((each) => each.sessions) }],
      sentence: `${many(total(durations.map((each) => each.sessions)), "session")} that began and ended here since the counters began, by the time up to which they lasted.`,
    }),
    chart({
      testid: "chart", title: "Logins per day", kind: "bars", labels: days.map(({ day }) => day.slice(5)),
      series: [{ name: "logins", values: days.map((each) => each.logins) }],
      sentence: `${many(total(days.map((each) => each.logins)), "login")} in 31 days, on this node; days of UTC.`,
    }),
  ];
}

function tick(span, at) {
  const date = new Date(at * 1000);
  const style = span === "month" ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
  return date.toLocaleString("en-GB", style);
}

function brief(seconds) {
  if (seconds === null) return "more";
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["m", 60]]) if (seconds >= size) return `${seconds / size}${unit}`;
  return `${seconds}s`;
}
