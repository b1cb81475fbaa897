// Charts as small SVGs of our own: lines, stacked bars. Colours come from classes, so they follow the scheme.

import { make } from "./dom.js";
import { number } from "./words.js";

const [WIDTH, HEIGHT] = [560, 180];
const PLOT = { left: 52, right: 8, top: 10, bottom: 26 };
const SVG = "http://www.w3.org/2000/svg";

function draw(tag, attributes, ...inside) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

/**
 * A figure: `labels` along the bottom, and `series` of `{ name, values }`, drawn as lines, or as bars on top of each
 * other. What it shows stands in a sentence, too, for who cannot see it.
 */
export function chart({ testid, title, labels, series, kind, sentence }) {
  const totals = labels.map((_, at) => kind === "bars" ? sum(series.map(({ values }) => values[at])) : Math.max(0, ...series.map(({ values }) => values[at])));
  const top = niceTop(Math.max(1, ...totals));
  const picture = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}. ${sentence}` });
  picture.append(...grid(top), ...bottom(labels));
  picture.append(...(kind === "bars" ? bars(series, labels.length, top, labels) : lines(series, top)));
  const figure = make("figure", { testid, className: "card chart" }, make("figcaption", {}, make("h3", { textContent: title }), legend(series)), picture);
  figure.append(make("p", { className: "hint", textContent: sentence }));
  return figure;
}

function sum(values) {
  return values.reduce((all, value) => all + value, 0);
}

/** 1, 2, 5 and their tens: above the highest value, and easy to read. */
function niceTop(highest) {
  const ten = 10 ** Math.floor(Math.log10(highest));
  return [1, 2, 4, 5, 10].map((step) => step * ten).find((step) => step >= highest);
}

function y(value, top) {
  return HEIGHT - PLOT.bottom - value / top * (HEIGHT - PLOT.top - PLOT.bottom);
}

function x(at, count) {
  return PLOT.left + (at + 0.5) / count * (WIDTH - PLOT.left - PLOT.right);
}

function grid(top) {
  const steps = top >= 4 ? [0, top / 4, top / 2, top * 3 / 4, top] : [0, top];
  return steps.filter((step) => Number.isInteger(step)).flatMap((step) => [
    draw("line", { class: "grid", x1: PLOT.left, x2: WIDTH - PLOT.right, y1: y(step, top), y2: y(step, top) }),
    draw("text", { class: "axis", x: PLOT.left - 6, y: y(step, top) + 4, "text-anchor": "end" }, number(step)),
  ]);
}

function bottom(labels) {
  const every = Math.ceil(labels.length / 5);
  return labels.map((label, at) => [label, at]).filter(([, at]) => at % every === Math.floor(every / 2)).map(([label, at]) =>
    draw("text", { class: "axis", x: x(at, labels.length), y: HEIGHT - 5, "text-anchor": "middle" }, label));
}

function lines(series, top) {
  return series.flatMap(({ values }, nth) => {
    const points = values.map((value, at) => `${x(at, values.length).toFixed(1)},${y(value, top).toFixed(1)}`);
    const floor = y(0, top);
    const area = `${x(0, values.length)},${floor} ${points.join(" ")} ${x(values.length - 1, values.length)},${floor}`;
    return [
      draw("polygon", { class: `area hue-${nth}`, points: area }),
      draw("polyline", { class: `curve hue-${nth}`, points: points.join(" ") }),
    ];
  });
}

function bars(series, count, top, labels) {
  const width = Math.max(1, (WIDTH - PLOT.left - PLOT.right) / count * 0.72);
  return labels.flatMap((label, at) => {
    let below = 0;
    return series.flatMap(({ name, values }, nth) => {
      if (values[at] === 0) return [];
      const [high, low] = [y(below + values[at], top), y(below, top)];
      below += values[at];
      const bar = draw("rect", { class: `column hue-${nth}`, x: x(at, count) - width / 2, width, y: high, height: Math.max(0.5, low - high) });
      bar.append(draw("title", {}, `${label}: ${number(values[at])} ${name}`));
      return [bar];
    });
  });
}

function legend(series) {
  if (series.length < 2) return make("span");
  return make("ul", { className: "legend" }, ...series.map(({ name }, nth) => make("li", {}, make("span", { className: `key hue-${nth}` }), name)));
}
