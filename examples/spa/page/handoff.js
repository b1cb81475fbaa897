// Continue on another device, the giving side: a link for one use, and its QR picture.

import { call } from "./call.js";
import { element, fail, onClick, say, text } from "./dom.js";
import { complaint, left } from "./words.js";

export function showHandoff(session) {
  const picture = element("handoff-qr");
  const link = element("handoff-link");
  let timer;

  onClick(element("handoff-create"), async () => {
    try {
      const { code, expiresAt } = await session.handoff();
      fail("handoff-error", "");
      await offer(`${location.origin}/#handoff=${encodeURIComponent(code)}`, expiresAt);
    } catch (error) {
      fail("handoff-error", complaint(error));
    }
  });
  onClick(element("handoff-copy"), copy);
  link.addEventListener("focus", () => link.select());

  async function offer(address, expiresAt) {
    withdraw();
    link.value = address;
    const count = () => {
      const seconds = expiresAt - session.now();
      if (seconds > 0) element("handoff-expires").textContent = `Good for one use. ${left(seconds)}`;
      else withdraw("The link was not used in time. You can make another.");
    };
    timer = setInterval(count, 1000);
    count();
    element("handoff-create").textContent = "Make another link";
    element("handoff-offer").hidden = false;
    element("handoff-offer-title").focus();
    await draw(address);
  }

  /** The picture is a convenience: the link alone will do. */
  async function draw(address) {
    try {
      const answer = await call(session, "POST", "/api/qr", { body: { link: address } });
      const drawn = await answer.blob();
      if (link.value !== address) return;
      picture.src = URL.createObjectURL(drawn);
      picture.hidden = false;
    } catch {
      picture.hidden = true;
    }
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(link.value);
      say("The link is copied.");
    } catch {
      link.focus();
      say("Your browser does not let this page copy. The link is selected: copy it yourself.");
    }
  }

  /** Takes the link away: a used or old one is of no use to anybody. */
  function withdraw(words = "") {
    const hadFocus = element("handoff-offer").contains(document.activeElement);
    clearInterval(timer);
    if (picture.src) URL.revokeObjectURL(picture.src);
    picture.removeAttribute("src");
    picture.hidden = element("handoff-offer").hidden = true;
    link.value = "";
    element("handoff-create").textContent = "Make a link";
    text("handoff-error", words);
    if (hadFocus) element("handoff-create").focus();
  }

  return { withdraw };
}
