// Logging in; and where no seat is left, choosing which of one's sessions ends.

import { ago, busy, button, element, row } from "./dom.js";

export function showLogin(session) {
  const form = element("login-form");
  const error = element("login-error");
  let wanted = false;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(form.querySelector("[type=submit]"), () => logIn());
  });
  element("ask-cancel").addEventListener("click", () => { part("login"); focus(); });

  async function logIn() {
    fail("");
    try {
      await session.login(form.user.value, form.password.value, form.remember.checked);
      form.password.value = "";
    } catch (problem) {
      if (problem.choice) ask(problem);
      else fail(words(problem));
    }
  }

  function ask(problem) {
    form.password.value = "";
    element("ask-detail").textContent = problem.detail;
    element("ask-list").replaceChildren(...problem.sessions.map((own) => {
      const device = own.device ?? "Unknown device";
      const end = button("ask-end", "End", `End ${device} and log in`, () => admit(problem, own));
      return row("ask-session", device, `active ${ago(session.now() - own.last_activity)}`, end);
    }));
    part("ask");
    element("ask-title").focus();
  }

  async function admit(asked, own) {
    try {
      await session.admit(asked.choice, own.id);
    } catch (problem) {
      // A session that is gone already leaves the code usable: there may be a seat now.
      if (problem.status === 404) return ask({ ...asked, sessions: asked.sessions.filter((other) => other !== own) });
      part("login");
      fail(words(problem));
    }
  }

  function fail(text) {
    error.textContent = text;
    error.hidden = !text;
    form.user.ariaInvalid = form.password.ariaInvalid = text ? "true" : null;
    if (text) form.password.select();
  }

  function part(name) {
    element("login").hidden = !wanted || name !== "login";
    element("ask").hidden = !wanted || name !== "ask";
  }

  function focus() {
    form.user.focus();
  }

  function show(yes) {
    wanted = yes;
    fail("");
    part("login");
  }

  return { show, focus };
}

function words(problem) {
  switch (problem.code) {
    case "login-failed": return "This name and password do not belong together.";
    case "token-invalid": return "That took too long. Please log in again.";
    default: return problem.message;
  }
}
