// Where this person is logged in, and ending sessions from afar.

import { button, element, fail, onClick, row, say, text } from "./dom.js";
import { ago, complaint, device } from "./words.js";

export function showDevices(session) {
  const all = element("devices-end-others");

  onClick(all, () => change(async () => {
    const ended = await session.endOthers();
    return ended === 1 ? "1 other session has ended." : `${ended} other sessions have ended.`;
  }));

  async function load(someone = true) {
    if (!someone) return show([]);
    try {
      show(await session.list());
      fail("devices-error", "");
    } catch (error) {
      if (error.code) text("devices-error", complaint(error));
    }
  }

  function show(sessions) {
    element("devices-list").replaceChildren(...sessions.map(entry));
    all.hidden = sessions.length < 2;
  }

  function entry(one) {
    const name = device(one);
    if (one.current) {
      const li = row("device", name, "this device");
      li.setAttribute("aria-current", "true");
      return li;
    }
    const active = `active ${ago(session.now() - one.last_activity)}`;
    const hint = one.dangling ? `${active}, holds no seat` : active;
    return row("device", name, hint, button("device-end", "End", `End the session on ${name}`, () => end(one)));
  }

  function end(one) {
    return change(async () => {
      try {
        await session.end(one.id);
        return `The session on ${device(one)} has ended.`;
      } catch (error) {
        // It was gone already: the list shows it.
        if (error.status === 404) return `The session on ${device(one)} had ended already.`;
        throw error;
      }
    });
  }

  async function change(act) {
    try {
      say(await act());
      fail("devices-error", "");
    } catch (error) {
      return fail("devices-error", complaint(error));
    }
    await load();
    element("devices-title").focus();
  }

  return { load };
}
