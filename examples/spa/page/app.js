// The page: who is here, and which of its parts are shown.

import { createSession } from "/session/client.js";

import { showAsk } from "./ask.js";
import { showCart } from "./cart.js";
import { askPassword } from "./confirm.js";
import { showDevices } from "./devices.js";
import { element, isSomewhere, onClick, say } from "./dom.js";
import { watchExpiry } from "./expiry.js";
import { showFacts } from "./facts.js";
import { showHandoff } from "./handoff.js";
import { showLogin } from "./login.js";
import { showPassword } from "./password.js";
import { showRedeem } from "./redeem.js";
import { showTicks } from "./ticks.js";
import { watchWeather } from "./weather.js";
import { complaint, farewell, standing } from "./words.js";

/** What only somebody who is logged in sees. */
const THEIRS = ["who", "session", "devices", "handoff", "change-password"];

if (document.documentElement.dataset.transport === "body") refuse();
else start();

/** The client knows the transports of pages: cookies and bearer. */
function refuse() {
  element("no-page").hidden = false;
  element("status").hidden = true;
}

function start() {
  element("cart").hidden = false;
  const session = createSession({ onStepUp: () => prove() });
  const prove = askPassword(session);
  const ask = showAsk(session);
  const parts = {
    ask,
    login: showLogin(session, ask),
    cart: showCart(session),
    devices: showDevices(session),
    handoff: showHandoff(session),
    password: showPassword(session),
  };
  const home = () => settle(parts, session.current.get().session);
  showRedeem(session, ask, home);
  showTicks(session);
  watchWeather(session);
  watchExpiry(session, prove);
  watchOthers(session, parts);
  follow(session, parts);
  // A dialog gives the focus back to what had it, which may be gone by then.
  for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", home);
  onClick(element("note-close"), () => {
    say("");
    home();
  });
  onClick(element("logout"), () => session.logout().catch((error) => say(complaint(error))));
}

/** Shows the parts of whoever is here, and follows them as they come and go. */
function follow(session, parts) {
  // Whose parts are shown: a session, null for nobody, undefined before the server was heard.
  let shown;
  let away = false;

  session.current.subscribe(show);

  function show(state) {
    element("status").textContent = standing(state);
    element("status").dataset.status = state.status;
    const someone = state.session ?? null;
    if (someone) showFacts(someone);
    // Without a connection and a session, nobody can tell who is here: what is shown stays.
    if (state.status === "unknown" || (state.status === "offline" && !someone)) {
      away = state.status === "offline";
      return;
    }
    const before = shown;
    shown = someone;
    const isChanged = before === undefined || before?.id !== someone?.id;
    if (isChanged) change(parts, before, state);
    else if (away && state.status !== "offline") load(parts, someone);
    away = state.status === "offline";
  }

  // Other tabs and devices may have changed what this one shows.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && shown !== undefined) load(parts, shown);
  });
}

function change(parts, before, state) {
  const someone = state.session ?? null;
  for (const id of THEIRS) element(id).hidden = !someone;
  if (someone) parts.ask.close();
  parts.login.show(!someone);
  parts.password.of(someone?.subject ?? "");
  parts.handoff.withdraw();
  load(parts, someone);
  if (before === undefined) {
    if (state.status === "ended") say(farewell(state.reason));
    return;
  }
  if (before?.subject === someone?.subject) return;
  // Who is here now is seen, and read out with the focus.
  say(someone ? "" : farewell(state.reason ?? "logout"));
  settle(parts, someone);
}

function load(parts, someone) {
  parts.cart.load(someone);
  parts.devices.load(someone);
}

/** Puts the focus somewhere sensible where the place that had it is gone. */
function settle(parts, someone) {
  if (isSomewhere()) return;
  if (someone) element("session-title").focus();
  else parts.login.focus();
}

/** What others do to this session. */
function watchOthers(session, parts) {
  session.on("handed-over", ({ device }) => {
    parts.handoff.withdraw();
    parts.devices.load();
    say(`Your session was continued on “${device ?? "another device"}”. If that was not you, end it in the list below.`);
  });
}
