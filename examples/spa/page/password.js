// Another password. All other sessions end with the old one; this one is replaced by a new one.

import { element, fail, onSubmit, say } from "./dom.js";
import { passwordComplaint } from "./words.js";

export function showPassword(session) {
  const form = element("password-form");

  onSubmit(form, async () => {
    fail("password-error", "", form.old);
    try {
      await change(form.user.value, form.old.value, form.new.value);
      form.old.value = form.new.value = "";
      say("Your password is changed. All your other sessions have ended.");
    } catch (error) {
      fail("password-error", passwordComplaint(error), form.old);
      form.old.select();
    }
  });

  async function change(user, old, fresh) {
    const ask = () => session.login("/api/password", { old, new: fresh });
    try {
      await ask();
    } catch (error) {
      if (error.status !== 401 || error.code === "login-failed") throw error;
      // The login is too long ago. The password is here already: no need to ask for it twice.
      await session.login("/login", { user, password: old, remember: null });
      await ask();
    }
  }

  /** Whose password it is, for the browser's password manager. What was typed for another is not theirs to see. */
  function of(subject) {
    if (form.user.value === subject) return;
    form.reset();
    form.user.value = subject;
    fail("password-error", "", form.old);
  }

  return { of };
}
