// Changing the limits, with the effect shown beforehand.

import { confirm } from "./confirm.js";
import { element, fail, isIn, make, onSubmit, say } from "./dom.js";
import { loadOverview } from "./overview.js";
import { act } from "./server.js";
import { many, number, RULE, SCOPE } from "./words.js";

const SCOPES = ["user", "tenant", "site"];

export function showLimits() {
  const form = element("limits");
  element("limits-fields").append(...SCOPES.map(fields));

  onSubmit(form, () => {
    fail("limits-error", "");
    const limits = read();
    if (!limits) return fail("limits-error", "Each limit needs a whole number of seats, 0 or more.");
    return confirm({
      title: "Change the limits?",
      submit: "Change them",
      danger: false,
      effect: async () => effect(await act("POST", "limits/preview", { limits })),
      act: async (why) => {
        await act("PUT", "limits", { limits, why });
        say("The limits have changed.");
        await loadOverview(false);
      },
    });
  });

  function read() {
    const limits = {};
    for (const scope of SCOPES) {
      const [on, seats, rule] = ["on", "seats", "rule"].map((part) => element(`limit-${scope}-${part}`));
      if (on.checked && !/^\d{1,9}$/.test(seats.value.trim())) return null;
      limits[scope] = on.checked ? { seats: Number(seats.value), on_full: rule.value } : null;
    }
    return limits;
  }

  /** Shows the limits as they are, unless somebody is changing them. */
  function show(limits) {
    if (isIn(form) || document.querySelector("dialog[open]")) return;
    for (const scope of SCOPES) {
      const limit = limits[scope];
      element(`limit-${scope}-on`).checked = limit !== null;
      element(`limit-${scope}-seats`).value = limit?.seats ?? "";
      element(`limit-${scope}-rule`).value = limit?.on_full ?? "refuse";
      enable(scope);
    }
  }

  return { show };
}

function fields(scope) {
  const named = (part) => ({ id: `limit-${scope}-${part}`, testid: `limit-${scope}-${part}` });
  const on = make("input", { type: "checkbox", ...named("on") });
  const seats = make("input", { type: "text", inputMode: "numeric", autocomplete: "off", ...named("seats") });
  const rule = make("select", named("rule"), ...Object.entries(RULE).map(([value, words]) => make("option", { value, textContent: words })));
  on.addEventListener("change", () => enable(scope));
  const label = (field, words) => make("p", {}, make("label", { htmlFor: field.id, textContent: words }), field);
  return make("fieldset", {},
    make("legend", { textContent: `Of ${SCOPE[scope]}` }),
    make("label", { className: "check" }, on, "Limited"),
    make("div", { className: "pair" }, label(seats, "Seats"), label(rule, "When full")));
}

function enable(scope) {
  const { checked } = element(`limit-${scope}-on`);
  for (const part of ["seats", "rule"]) element(`limit-${scope}-${part}`).disabled = !checked;
}

function effect({ user, tenant, site }) {
  const words = [];
  if (site) {
    const door = site.in_use < site.seats ? `${many(site.seats - site.in_use, "more login")} would find a seat.`
      : site.over > 0 ? `${many(site.over, "seat is", "seats are")} in use beyond it: nobody is ended, and newcomers find a seat only after as many have fallen free.`
        : "No seat is free: newcomers meet the rule for a full site.";
    words.push(`The site: ${number(site.in_use)} of ${number(site.seats)} seats in use. ${door}`);
  } else words.push("The site: no limit.");
  if (user) {
    const full = user.people_full === null ? "How many are full is not counted for so many seats." :
      user.people_full === 0 ? "Nobody uses that many." : `${many(user.people_full, "person uses", "people use")} that many or more, and could not log in once more.`;
    words.push(`Each user: ${many(user.seats, "seat")}. ${full}`);
  } else words.push("Each user: no limit.");
  if (tenant) words.push(`Each tenant: ${many(tenant.seats, "seat")}.`);
  return words.join(" ");
}
