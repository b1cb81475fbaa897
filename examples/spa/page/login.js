// Logging in.

import { element, fail, onSubmit } from "./dom.js";
import { complaint } from "./words.js";

export function showLogin(session, ask) {
  const form = element("login-form");

  onSubmit(form, async () => {
    say("");
    const { user, password, remember } = form;
    try {
      await session.login("/login", { user: user.value, password: password.value, remember: remember.checked });
      password.value = "";
    } catch (error) {
      if (!error.choice) return say(complaint(error));
      password.value = "";
      element("login").hidden = true;
      ask.open(error, (words) => {
        show(true);
        say(words);
        if (!words) focus();
      });
    }
  });

  function say(words) {
    fail("login-error", words, form.password, form.user);
    if (words) form.password.select();
  }

  function focus() {
    form.user.focus();
  }

  /** Shows the form, or hides it. What was typed stays. */
  function show(yes) {
    element("login").hidden = !yes || !element("ask").hidden;
    if (!yes) say("");
  }

  return { show, focus };
}
