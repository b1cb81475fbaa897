// The gauges of the limits: how full the site, the busiest user and the fullest tenants are.

import { element, make } from "./dom.js";
import { look } from "./server.js";
import { many, number, RULE, SCOPE } from "./words.js";

/** Users and tenants are counted one by one: between two looks the registry has so many times as long for others. */
const REST = 20;
const UNSEEN = { use: {}, next: 0 };

let seen = UNSEEN;
let drawn = null;

/** Looks how full users and tenants are. */
export async function loadSeats({ passive = false } = {}) {
  const began = performance.now();
  if (!drawn || (passive && began < seen.next)) return;
  const { user, tenant } = drawn.limits;
  const use = user || tenant ? await look("seats", { passive }) : {};
  const took = performance.now() - began;
  // Forgotten meanwhile.
  if (!drawn) return;
  seen = { use, next: began + took * (1 + REST) };
  draw(drawn);
}

export function forgetSeats() {
  [seen, drawn] = [UNSEEN, null];
  element("gauges").replaceChildren();
}

/** Shows the limits, and how full they are as far as that is known. */
export function draw(overview) {
  drawn = overview;
  const { counts, limits } = overview;
  element("gauges").replaceChildren(...Object.entries(limits).map(([scope, limit]) => {
    const title = make("strong", { textContent: `${SCOPE[scope][0].toUpperCase()}${SCOPE[scope].slice(1)}` });
    if (!limit) return make("li", {}, line(title, "no limit"));
    const used = scope === "site" ? `${number(counts.seats)} of ${many(limit.seats, "seat")}` : many(limit.seats, "seat");
    return make("li", { testid: `gauge-${scope}` }, line(title, `${used}; full: ${RULE[limit.on_full]}`), ...bars(scope, limit, counts));
  }));
}

function bars(scope, limit, counts) {
  if (scope === "site") return [bar(counts.seats, limit.seats)];
  const use = seen.use[scope];
  // The limit has changed since.
  if (use?.seats !== limit.seats) return [];
  return scope === "user" ? ofUsers(use) : ofTenants(use);
}

function ofUsers({ seats, people, people_full: full, most }) {
  return [
    line("The busiest", `${number(most)} of ${number(seats)}`), bar(most, seats),
    line("", `${full === 0 ? "Nobody" : number(full)} of ${many(people, "person", "people")} ${full > 1 ? "are" : "is"} at the limit.`),
  ];
}

function ofTenants({ seats, tenants, tenants_full: full, fullest }) {
  return [
    ...fullest.flatMap(({ tenant, seats: held }) => [line(tenant, `${number(held)} of ${number(seats)}`), bar(held, seats)]),
    line("", `${full === 0 ? "None" : number(full)} of ${many(tenants, "tenant")} ${full > 1 ? "are" : "is"} at the limit.`),
  ];
}

function line(words, hint) {
  const parts = [words, hint && make("span", { className: "hint", textContent: hint })];
  return make("p", {}, ...parts.filter(Boolean));
}

function bar(value, of) {
  const gauge = make("span", { className: "gauge large" }, make("span"));
  fill(gauge, value, of);
  return gauge;
}

/** The bar is a picture of figures that stand beside it as text. */
export function fill(gauge, value, of) {
  const share = of === 0 ? 100 : Math.min(100, Math.round(value / of * 100));
  gauge.dataset.level = share >= 100 ? "full" : share >= 85 ? "high" : "fine";
  gauge.firstElementChild.style.setProperty("--share", `${share}%`);
}
