// The page: who is here, which view is shown, and when it is loaded again.

import { showAudit } from "./audit.js";
import { showConfirm } from "./confirm.js";
import { element, onClick, say } from "./dom.js";
import { showKeys } from "./keys.js";
import { showLimits } from "./limits.js";
import { showLive } from "./live.js";
import { showLogin } from "./login.js";
import { loadOverview } from "./overview.js";
import { showPeople } from "./people.js";
import { forgetSeats, loadSeats } from "./seats.js";
import { isPaused, pause, session } from "./server.js";
import { showSessions } from "./sessions.js";
import { showStatistics } from "./statistics.js";
import { loadUnusual } from "./unusual.js";
import { complaint } from "./words.js";

/** How often the page looks by itself, and how soon after something happened. */
const PACE_MS = 5000;
const SOON_MS = 300;
const VIEWS = ["sessions", "seats", "time", "live", "unusual", "keys", "audit"];
/** Where people and their sessions are told of. */
const TOLD = ["sessions-rows", "live-log", "unusual-list", "audit-list", "keys-rows", "charts", "peaks"];
/** What changes no figure. */
const NO_CHANGE = ["refresh", "refusal", "audit", "other"];

showLogin();
showConfirm();
showPeople();
const [sessions, limits, statistics, keys, audit] = [showSessions(), showLimits(), showStatistics(), showKeys(), showAudit()];
const live = showLive(({ kind }) => { if (!NO_CHANGE.includes(kind)) soon(); });
const load = {
  sessions: (how) => how?.passive ? sessions.follow() : sessions.load(how),
  seats: loadSeats,
  time: statistics.load,
  live: () => {},
  unusual: loadUnusual,
  keys: (how) => how?.passive ? undefined : keys.load(how),
  audit: (how) => how?.passive ? undefined : audit.load(how),
};
let here = null;
let timer = null;

onClick(element("note-close"), () => say(""));
onClick(element("go-on"), () => { pause(false); return enter(); });
onClick(element("logout"), () => session.logout());
addEventListener("hashchange", () => {
  say("");
  show();
  refresh({}).catch((error) => { if (!isPaused()) say(complaint(error)); });
  element(`title-${view()}`).focus();
});
session.current.subscribe(follow);

/** Follows who is logged in here. */
function follow(state) {
  if (state.status === "unknown" || (state.status === "offline" && !state.session)) return;
  const someone = state.session ?? null;
  const before = here;
  here = someone?.subject ?? null;
  element("who").hidden = !someone;
  element("login").hidden = !!someone;
  if (someone) element("you").textContent = someone.subject;
  if (before === here && before !== null) return;
  if (someone) enter();
  else leave(state.status === "ended" ? "You are logged out." : "");
}

async function enter() {
  try {
    await refresh({});
    element("no-right").hidden = true;
    element("office").hidden = element("views").hidden = false;
    show();
    live.start();
  } catch (error) {
    if (error.status === 404) return refuse();
    if (!isPaused()) say(complaint(error));
  }
  again();
}

/** Logged in, and no administrator. */
function refuse() {
  clear();
  element("no-right").hidden = false;
  element("status").hidden = true;
}

/** Nothing of the site stays in a page that nobody may look at any more. */
function clear() {
  element("office").hidden = element("views").hidden = true;
  for (const list of TOLD) element(list).replaceChildren();
  forgetSeats();
}

function leave(words) {
  live.stop();
  clearTimeout(timer);
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  clear();
  element("no-right").hidden = true;
  element("status").textContent = "Not logged in";
  element("status").dataset.status = "unknown";
  element("status").hidden = false;
  element("login").hidden = false;
  say(words);
}

function view() {
  const named = location.hash.slice(1);
  return VIEWS.includes(named) ? named : VIEWS[0];
}

function show() {
  for (const name of VIEWS) {
    element(`view-${name}`).hidden = name !== view();
    const link = document.querySelector(`.views a[href="#${name}"]`);
    if (name === view()) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "center" });
    } else link.removeAttribute("aria-current");
  }
}

async function refresh({ passive = false }) {
  const seen = await loadOverview(passive);
  limits.show(seen.limits);
  await Promise.all([load[view()]({ passive }), view() === "unusual" ? undefined : loadUnusual({ passive: true })]);
}

/** Looks again, by itself: no activity of anyone. */
async function look() {
  clearTimeout(timer);
  if (!here || element("office").hidden) return;
  if (!isPaused() && !document.hidden) await refresh({ passive: true }).catch(() => {});
  again();
}

function again() {
  clearTimeout(timer);
  timer = setTimeout(look, PACE_MS);
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(look, SOON_MS);
}
