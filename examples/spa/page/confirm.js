// The dialog that asks for the password once more, where an act needs a fresh login.

import { element, fail, onClick, onSubmit } from "./dom.js";
import { passwordComplaint } from "./words.js";

/** Makes the function that asks; it resolves to whether the person has proved who they are. */
export function askPassword(session) {
  const [dialog, form] = [element("confirm"), element("confirm-form")];
  let asked = null;
  let done = () => {};

  onClick(element("confirm-cancel"), () => dialog.close());
  onSubmit(form, async () => {
    const { user, password } = form;
    try {
      // `null`: the browser keeps this login as it kept the last one.
      await session.login("/login", { user: user.value, password: password.value, remember: null });
      done(true);
      dialog.close();
    } catch (error) {
      fail("confirm-error", passwordComplaint(error), password);
      password.select();
    }
  });
  dialog.addEventListener("close", () => {
    asked = null;
    form.reset();
    done(false);
  });

  function open() {
    form.reset();
    fail("confirm-error", "", form.password);
    form.user.value = session.current.get().session?.subject ?? "";
    dialog.showModal();
    return new Promise((resolve) => { done = resolve; });
  }

  // Two acts at once ask once.
  return () => (asked ??= open());
}
