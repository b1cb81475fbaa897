// What the page asks the server, through the session's client.

import { element } from "./dom.js";

const { prefix, sessions, login } = document.documentElement.dataset;
const { createSession, Problem } = await import(`${sessions}/client.js`);

/** Asked once at a time for all who wait: resolves to whether the administrator has proved who they are. */
let prove = async () => false;
/** After "not now", nothing is asked until the administrator goes on. */
let paused = false;

export const session = createSession({
  base: sessions,
  onStepUp: async () => {
    if (paused) return false;
    const proved = await prove();
    if (!proved) pause(true);
    return proved;
  },
});

export function proveBy(ask) {
  prove = ask;
}

export function isPaused() {
  return paused;
}

export function pause(yes) {
  paused = yes;
  element("paused").hidden = !yes;
}

export function logIn(user, password, remember) {
  return session.login(login, { user, password, remember });
}

/** `GET`; `passive`: it is the page that asks, not a person. */
export async function look(path, { passive = false } = {}) {
  const answer = await session.fetch(`${prefix}/api/${path}`, { passive, cache: "no-store" });
  return read(answer);
}

export async function act(method, path, body) {
  // Somebody who acts is there.
  if (paused) pause(false);
  const headers = { "content-type": "application/json" };
  return read(await session.fetch(`${prefix}/api/${path}`, { method, headers, body: JSON.stringify(body) }));
}

/** The stream of what happens, as long as the signal lets it. */
export function listen(query, signal) {
  return session.fetch(`${prefix}/api/live?${query}`, { passive: true, cache: "no-store", signal });
}

/** Saves an answer as a file of this machine. */
export async function save(path, name) {
  const answer = await session.fetch(`${prefix}/api/${path}`, { cache: "no-store" });
  if (!answer.ok) await read(answer);
  saveAs(name, await answer.blob());
}

/** Saves a text as a file of this machine. */
export function keep(text, type, name) {
  saveAs(name, new Blob([text], { type }));
}

function saveAs(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A refusal is thrown, as the client would. */
async function read(answer) {
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  throw Object.assign(new Error(body.detail ?? "The server does not answer as it should."), {
    status: answer.status, code: body.code, body,
  });
}

export { Problem };
