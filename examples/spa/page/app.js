// The page: who is here, and which of its parts are shown.

import { showCart } from "./cart.js";
import { showDevices } from "./devices.js";
import { element, say, sentence } from "./dom.js";
import { watchExpiry } from "./expiry.js";
import { showLogin } from "./login.js";
import { Session } from "./session.js";

const session = new Session();
const login = showLogin(session);
const cart = showCart(session);
const devices = showDevices(session);
watchExpiry(session);

let shown;

session.addEventListener("change", ({ detail }) => {
  const { current } = session;
  showFacts(current);
  const id = current?.id ?? null;
  if (shown === id) return;
  const first = shown === undefined;
  shown = id;
  element("who").hidden = element("session").hidden = element("devices").hidden = !current;
  login.show(!current);
  cart.load();
  devices.load();
  if (first) return;
  if (current) element("session-title").focus();
  else login.focus();
  say(current ? `Logged in as ${current.subject}.` : sentence(detail?.reason));
});

element("logout").addEventListener("click", () => session.logout().catch((problem) => say(problem.message)));

const POLL_MS = 5000;

// Looks now and then whether the session still lives. It is passive: an open page is no person.
setInterval(poll, POLL_MS);
document.addEventListener("visibilitychange", poll);
// The browser may show this page again as it was when it was left.
addEventListener("pageshow", ({ persisted }) => persisted && restore());
restore();

async function poll() {
  if (!session.current || document.visibilityState === "hidden") return;
  try {
    const answer = await session.call("GET", "/api/poll", { passive: true });
    session.update(answer.session);
  } catch {
    // What ended the session has been told as a change; anything else may pass.
  }
}

async function restore() {
  try {
    await session.restore();
  } catch (problem) {
    if (shown === undefined) login.show(true);
    cart.load();
    say(problem.message);
  }
}

/** What the session is, in words. */
function showFacts(current) {
  if (!current) return;
  element("subject").textContent = current.subject;
  const facts = [
    ["Name", current.subject],
    ["Device", current.device ?? "unknown"],
    ["Logged in", time(current.started_at)],
    ["Ends, if unused", time(Math.min(current.idle_expires_at, current.expires_at))],
    ["Ends for good", time(current.expires_at)],
  ];
  element("session-facts").replaceChildren(...facts.flatMap(([name, value]) => {
    const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
    dt.textContent = name;
    dd.append(value);
    return [dt, dd];
  }));
}

function time(seconds) {
  const time = document.createElement("time");
  const date = new Date(seconds * 1000);
  time.dateTime = date.toISOString();
  time.textContent = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  return time;
}
