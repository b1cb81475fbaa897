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
      if (!error.choice) return say(complaint(error), error.code === "login-failed");
      password.value = "";
      element("login").hidden = true;
      ask.open(error, (words) => {
        show(true);
        say(words);
        if (!words) focus();
      });
    }
  });

  /** Says what went wrong; the fields are marked where it is about what was typed. */
  function say(words, isTyped = false) {
    const fields = [form.password, form.user];
    for (const field of fields) field.ariaInvalid = null;
    fail("login-error", words, ...(isTyped ? fields : []));
    if (isTyped) form.password.select();
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
