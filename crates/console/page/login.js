// Who the administrator is: logging in, and proving it once more.

import { element, fail, onClick, onSubmit } from "./dom.js";
import { logIn, pause, proveBy, session } from "./server.js";
import { complaint } from "./words.js";

export function showLogin() {
  const form = element("login-form");
  onSubmit(form, async () => {
    const { user, password } = form;
    fail("login-error", "", password, user);
    try {
      await logIn(user.value, password.value, false);
      form.reset();
    } catch (error) {
      fail("login-error", complaint(error), password, user);
      password.select();
    }
  });
  askAgain();
}

/** The dialog that asks for the password once more. */
function askAgain() {
  const [dialog, form] = [element("prove"), element("prove-form")];
  let asked = null;
  let done = () => {};

  onClick(element("prove-cancel"), () => end(false));
  onSubmit(form, async () => {
    try {
      // `null`: the browser keeps this login as it kept the last one.
      await logIn(form.user.value, form.password.value, null);
      end(true);
    } catch (error) {
      fail("prove-error", error.code === "login-failed" ? "This is not your password." : complaint(error), form.password);
      form.password.select();
    }
  });
  // By the Escape key, too. The event comes a frame later: the dialog may ask again by then.
  dialog.addEventListener("close", () => { if (!dialog.open) end(false); });

  function open() {
    form.reset();
    fail("prove-error", "", form.password);
    form.user.value = session.current.get().session?.subject ?? "";
    dialog.showModal();
    return new Promise((resolve) => { done = resolve; });
  }

  function end(isProved) {
    asked = null;
    form.reset();
    dialog.close();
    if (isProved) pause(false);
    done(isProved);
  }

  // Several requests at once ask once.
  proveBy(() => (asked ??= open()));
}
