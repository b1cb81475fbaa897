// What the tabs of a browser tell each other. Nothing depends on it: a message may be lost, or the channel forbidden.

import type { Channel, Environment } from "./environment.js";
import type { EndReason, SessionEvents, SessionObject } from "./state.js";

/** A message of one tab to all others. Its members keep their names in the build. */
export type Message =
  /** The session after a renewal or a login, with its access token where a script holds it. */
  | { is: "at"; mark: number; session: SessionObject; token: Token | null }
  /** Who holds the session? */
  | { is: "ask" }
  /** A session is over; after a logout, `mark` tells when. */
  | { is: "over"; id: string; reason: EndReason | undefined }
  | { is: "event"; id: string | undefined; name: keyof SessionEvents; event: SessionEvents[keyof SessionEvents] };

/** An access token, and the scheme that presents it. */
export interface Token {
  scheme: string;
  value: string;
}

/** The tabs of this browser that are about the same session. */
export interface Tabs {
  _open(): void;
  _close(): void;
  _say(message: Message): void;
}

/** Two versions of the client that mean different things by their messages must not have the same number here. */
const VERSION = 1;

export function createTabs(environment: Environment, name: string, heard: (message: Message) => void): Tabs {
  let channel: Channel | undefined;
  return {
    _open() {
      try {
        channel ??= environment.openChannel!(`${name}:${VERSION}`);
        channel.onmessage = ({ data }) => heard(data);
      } catch {
        // Missing or forbidden: this tab is alone.
      }
    },
    _close() {
      channel?.close();
      channel = undefined;
    },
    _say(message) {
      channel?.postMessage(message);
    },
  };
}
