// The dialog that asks for the password once more, where an act needs a fresh login.

import { element, fail, onClick, onSubmit } from "./dom.js";
import { passwordComplaint } from "./words.js";

/** Makes the function that asks; it resolves to whether the person has proved who they are. */
export function askPassword(session) {
  const [dialog, form] = [element("confirm"), element("confirm-form")];
  let asked = null;
  let done = () => {};

  onClick(element("confirm-cancel"), () => end(false));
  onSubmit(form, async () => {
    const { user, password } = form;
    try {
      // `null`: the browser keeps this login as it kept the last one.
      await session.login("/login", { user: user.value, password: password.value, remember: null });
      end(true);
    } catch (error) {
      fail("confirm-error", passwordComplaint(error), password);
      password.select();
    }
  });
  // By the Escape key, too. The event comes a frame later: the dialog may ask again by then.
  dialog.addEventListener("close", () => { if (!dialog.open) end(false); });

  function open() {
    form.reset();
    fail("confirm-error", "", form.password);
    form.user.value = session.current.get().session?.subject ?? "";
    dialog.showModal();
    return new Promise((resolve) => { done = resolve; });
  }

  function end(isProved) {
    asked = null;
    form.reset();
    dialog.close();
    done(isProved);
  }

  // Two acts at once ask once.
  return () => (asked ??= open());
}
