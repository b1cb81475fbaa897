// The table of sessions: filtered, sorted, page by page, and what can be done with each.

import { button, cell, element, fail, isIn, make, onClick, onSubmit, questions, row, text } from "./dom.js";
import { endDangling, endEveryone, endOne, endSelected, endUser } from "./ends.js";
import { loadOverview } from "./overview.js";
import { erasePerson, exportPerson } from "./people.js";
import { look } from "./server.js";
import { ago, complaint, device, lasting, many, number, person, when } from "./words.js";

/** Sessions that one act ends by id, at most. */
const AT_MOST = 256;

export function showSessions() {
  const selected = new Set();
  let next = null;
  let shown = [];
  /** What was last asked for; what somebody is typing was not yet. */
  let filter = null;
  const asks = questions();
  /** Whether the last load has not been answered yet. */
  let waits = false;

  onSubmit(element("filter"), find);
  for (const id of ["filter-holding", "filter-inactive", "filter-order"]) element(id).addEventListener("change", find);
  onClick(element("more"), () => load({ after: next }));
  onClick(element("end-dangling"), () => endDangling(changed));
  onClick(element("end-everyone"), () => endEveryone(changed));
  onClick(element("end-selected"), () => endSelected([...selected].slice(0, AT_MOST), changed));
  element("select-all").addEventListener("change", ({ target: { checked } }) => {
    for (const box of element("sessions-rows").querySelectorAll("input")) if (box.checked !== checked) box.click();
  });

  function find() {
    filter = read();
    return load();
  }

  function read() {
    const form = new FormData(element("filter"));
    return [...form].filter(([, value]) => value.trim()).map(([name, value]) => [name, value.trim()]);
  }

  function query(after) {
    filter ??= read();
    return new URLSearchParams(after ? [...filter, ["after", after]] : filter);
  }

  /** Loads the first page, or the one after; `passive`: nobody asked for it. */
  async function load({ after, passive = false } = {}) {
    const isLast = asks();
    waits = true;
    try {
      const page = await look(`sessions?${query(after)}`, { passive });
      if (!isLast()) return;
      fail("sessions-error", "");
      show(page, after ? joined(shown, page.sessions) : page.sessions);
    } catch (error) {
      if (isLast() && !passive) fail("sessions-error", complaint(error));
    } finally {
      if (isLast()) waits = false;
    }
  }

  function show(page, sessions) {
    [next, shown] = [page.next, sessions];
    const here = new Set(sessions.map(({ id }) => id));
    for (const id of selected) if (!here.has(id)) selected.delete(id);
    element("sessions-rows").replaceChildren(...sessions.map((one) => entry(one, page.at)));
    element("sessions-empty").hidden = sessions.length > 0;
    element("more").hidden = next === null;
    const of = page.total === null ? "" : ` of ${number(page.total)}`;
    element("sessions-shown").textContent = sessions.length ? `${number(sessions.length)}${of} shown` : "";
    showSelection();
  }

  function entry(one, now) {
    const box = make("input", { type: "checkbox", testid: "session-select", checked: selected.has(one.id) });
    box.setAttribute("aria-label", `Select the session of ${person(one)} on ${device(one)}`);
    box.addEventListener("change", () => {
      selected[box.checked ? "add" : "delete"](one.id);
      showSelection();
    });
    const tick = cell("", box);
    tick.className = "tick";
    const who = cell("User", make("strong", { textContent: one.subject }));
    if (one.tenant) who.append(" ", make("span", { className: "hint", textContent: one.tenant }));
    if (one.current) who.append(" ", make("span", { className: "tag own", textContent: "you, here" }));
    const seat = one.dangling ? ["dangling", "dangling"] : ["holding", "seat"];
    const actions = cell("",
      button("session-end", "End", `End the session of ${person(one)} on ${device(one)}`, () => endOne(one, changed)),
      button("session-end-user", "End all of user", `End all of user: ${person(one)}`, () => endUser(one, changed)),
      button("session-export", "Export", `Export what is stored about ${person(one)}`, () => exportPerson(one)),
      button("session-erase", "Erase", `Erase ${person(one)}`, () => erasePerson(one, changed), "quiet small danger"));
    actions.className = "actions";
    return row("session", tick, who, cell("Device", device(one)), cell("Started", moment(one.started_at)),
      cell("Last active", moment(one.last_activity, ago(now - one.last_activity))),
      cell("Expires", moment(one.expires_at, `in ${lasting(one.expires_at - now)}`)),
      cell("Seat", make("span", { className: `tag ${seat[0]}`, textContent: seat[1] })), actions);
  }

  function showSelection() {
    const boxes = element("sessions-rows").querySelectorAll("input").length;
    const all = element("select-all");
    all.checked = boxes > 0 && selected.size === boxes;
    all.indeterminate = selected.size > 0 && selected.size < boxes;
    element("selection").hidden = selected.size === 0;
    const beyond = selected.size > AT_MOST ? `; the first ${AT_MOST} of them at a time` : "";
    text("selection-count", selected.size ? `${many(selected.size, "session is", "sessions are")} selected${beyond}.` : "");
  }

  async function changed() {
    selected.clear();
    // The act is done, whatever becomes of this: the page looks again by itself.
    await Promise.all([load(), loadOverview(false).catch(() => {})]);
  }

  /** Follows what happens, unless somebody is at work in the table or waits for it. */
  function follow() {
    const rows = element("sessions-rows");
    if (waits || selected.size > 0 || isIn(rows) || shown.length > 50 || document.querySelector("dialog[open]")) return;
    return load({ passive: true });
  }

  return { load, follow };
}

/** The next page after those before it. Who was active between two pages may be on both. */
function joined(before, page) {
  const ids = new Set(page.map(({ id }) => id));
  return [...before.filter(({ id }) => !ids.has(id)), ...page];
}

/** An instant, as a relative time or a date, with the exact one for who points at it. */
function moment(seconds, words = when(seconds)) {
  const exact = new Date(seconds * 1000);
  return make("time", { dateTime: exact.toISOString(), title: exact.toLocaleString("en-GB"), textContent: words });
}

