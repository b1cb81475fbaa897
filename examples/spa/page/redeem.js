// Continue on another device, the taking side: nothing happens before the person has said whose session they want.

import { element, fail, onClick, say, text } from "./dom.js";
import { complaint, device } from "./words.js";

const GONE = "This link was used already or is too old. Make another one on the other device.";

export function showRedeem(session, ask, home) {
  const dialog = element("redeem");
  const go = element("redeem-confirm");
  /** The code, and whose session it continues once the server has said so. */
  let offered = null;

  onClick(go, () => (offered.giver ? redeem() : look()));
  onClick(element("redeem-cancel"), () => dialog.close());
  // The event comes a frame later: the dialog may ask about another code by then.
  dialog.addEventListener("close", () => { if (!dialog.open) offered = null; });
  // Who is logged in here may change while the dialog asks.
  session.current.subscribe(describe);
  addEventListener("hashchange", arrive);
  arrive();

  /** Takes the code out of the address bar at once, so that it is in no history, bookmark or screenshot. */
  function arrive() {
    const code = new URLSearchParams(location.hash.slice(1)).get("handoff");
    if (!code) return;
    history.replaceState(null, "", location.pathname + location.search);
    offered = { code };
    look();
  }

  async function look() {
    const asked = offered;
    try {
      await session.ready;
      asked.giver = await session.redeem(asked.code);
      if (offered === asked) show("");
    } catch (error) {
      if (offered === asked) refused(error);
    }
  }

  async function redeem() {
    const { code, giver } = offered;
    try {
      await session.redeem(code, giver.subject);
      dialog.close();
    } catch (error) {
      if (!offered) return say(complaint(error));
      if (!error.choice) return refused(error);
      dialog.close();
      ask.open(error, (words) => {
        say(words);
        home();
      });
    }
  }

  /** A code that is gone is gone; whatever else it was may pass. */
  function refused(error) {
    if (error.code !== "token-invalid") return show(complaint(error));
    dialog.close();
    say(GONE);
  }

  function show(words) {
    describe();
    fail("redeem-error", words);
    if (!dialog.open) dialog.showModal();
  }

  function describe() {
    if (!offered) return;
    const { giver } = offered;
    const here = session.current.get().session?.subject;
    element("redeem-title").textContent = giver ? `Continue as ${giver.subject}?` : "Continue on this device?";
    text("redeem-giver", giver ? `${giver.subject} is logged in on “${device(giver)}” and goes on here.` : "");
    text("redeem-here", here ? replaced(here, giver) : "");
    element("redeem-hint").hidden = !giver;
    go.textContent = giver ? `Continue as ${giver.subject}` : "Try again";
  }
}

function replaced(here, giver) {
  return here === giver?.subject
    ? "You are logged in here already. That session ends if you continue."
    : `You are logged in here as ${here}. That session ends if you continue.`;
}
