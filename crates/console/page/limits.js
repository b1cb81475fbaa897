// Changing the limits, with the effect shown beforehand.

import { confirm } from "./confirm.js";
import { element, fail, isIn, make, onSubmit, say } from "./dom.js";
import { loadOverview } from "./overview.js";
import { loadSeats } from "./seats.js";
import { act } from "./server.js";
import { many, number, RULE, SCOPE } from "./words.js";

const SCOPES = ["user", "tenant", "site"];
/** Which session makes room, by the rules that end sessions. */
const MAKES_ROOM = { "end-least-recent": "idlest", "end-oldest": "oldest" };
const CLOSED = "The door is closed: newcomers are refused, and nobody is ended.";

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
      effect: async () => effect(limits, await act("POST", "limits/preview", { limits })),
      act: async (why) => {
        await act("PUT", "limits", { limits, why });
        say("The limits have changed.");
        // The act is done, whatever becomes of this: the page looks again by itself.
        await loadOverview(false).then(() => loadSeats()).catch(() => {});
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

function effect(limits, { user, tenant, site }) {
  const first = (scope) => MAKES_ROOM[limits[scope].on_full];
  const words = [
    site ? `The site: ${number(site.in_use)} of ${number(site.seats)} seats in use. ${ofSite(site, first("site"))}` : "The site: no limit.",
    user ? `Each user: ${many(user.seats, "seat")}. ${ofUser(user, first("user"))}` : "Each user: no limit.",
  ];
  if (tenant) words.push(`Each tenant: ${many(tenant.seats, "seat")}. ${ofTenant(tenant, first("tenant"))}`);
  return words.join(" ");
}

function ofSite({ seats, in_use: inUse, over }, first) {
  if (seats === 0) return CLOSED;
  if (inUse < seats) return `${many(seats - inUse, "more login")} would find a seat.`;
  const beyond = `${many(over, "seat is", "seats are")} in use beyond it: nobody is ended`;
  if (first) {
    return over > 0 ? `${beyond} now, but the next newcomer is let in, and the ${number(over + 1)} ${first} sessions end.`
      : `No seat is free: a newcomer is let in, and the ${first} session ends.`;
  }
  return over > 0 ? `${beyond}, and newcomers find a seat only after as many have fallen free.`
    : "No seat is free: newcomers meet the rule for a full site.";
}

function ofUser({ seats, people_full: full }, first) {
  if (seats === 0) return CLOSED;
  if (full === 0) return "Nobody uses that many.";
  const people = `${many(full, "person uses", "people use")} that many or more`;
  return first ? `${people}: nobody is ended now, but as they log in once more, their ${first} sessions end.` : `${people}, and could not log in once more.`;
}

function ofTenant({ seats, tenants_full: full, fullest }, first) {
  if (seats === 0) return CLOSED;
  if (full === 0) return "None uses that many.";
  const tenants = `${many(full, "tenant uses", "tenants use")} that many or more, the fullest ${fullest[0].tenant} with ${number(fullest[0].seats)}`;
  return first ? `${tenants}: nobody is ended now, but a newcomer is let in, and its ${first} sessions end.` : `${tenants}: newcomers there meet the rule for a full tenant.`;
}
