// Where this user is logged in, and ending a session from afar.

import { ago, button, element, row, say } from "./dom.js";

export function showDevices(session) {
  async function load() {
    if (!session.current) return element("devices-list").replaceChildren();
    try {
      const { sessions } = await session.call("GET", "/session/list");
      element("devices-list").replaceChildren(...sessions.map(device));
    } catch (problem) {
      say(problem.message);
    }
  }

  function device(one) {
    const name = one.device ?? "Unknown device";
    if (one.current) {
      const li = row("device", name, "this device");
      li.setAttribute("aria-current", "true");
      return li;
    }
    const hint = `active ${ago(session.now() - one.last_activity)}`;
    return row("device", name, hint, button("device-end", "End", `End the session on ${name}`, () => end(one, name)));
  }

  async function end(one, name) {
    try {
      await whileFresh(session, () => session.call("DELETE", `/session/${one.id}`));
      say(`The session on ${name} has ended.`);
    } catch (problem) {
      // It was gone already: the list below shows it.
      say(problem.status === 404 ? `The session on ${name} had ended already.` : problem.message);
    }
    await load();
    element("devices-title").focus();
  }

  return { load };
}

/** Does what needs a fresh login, and asks for the password where the last one is too long ago. */
async function whileFresh(session, act) {
  try {
    return await act();
  } catch (problem) {
    if (problem.code !== "step-up-required") throw problem;
  }
  const password = await askPassword();
  if (password === null) throw new Error("Nothing was changed.");
  await session.login(session.current.subject, password, true);
  return act();
}

function askPassword() {
  const [dialog, form] = [element("confirm"), element("confirm-form")];
  form.reset();
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => {
      done(dialog.returnValue === "go" ? form.password.value : null);
      form.reset();
    }, { once: true });
  });
}
