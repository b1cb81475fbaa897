// Requests of this page to its own server, as this browser's session.

import { Problem } from "/session/client.js";

/** Fetches JSON. Throws the Problem where the server refuses, a TypeError where there is no connection. */
export async function call(session, method, url, { body, ...options } = {}) {
  const json = body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await session.fetch(url, { method, ...json, ...options });
  if (!response.ok) throw new Problem(response.status, await response.json().catch(() => ({})));
  return response;
}
