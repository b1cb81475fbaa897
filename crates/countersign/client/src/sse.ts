// Reads an event stream (the HTML standard's text/event-stream) from bytes that come in chunks cut anywhere.

/** The longest unfinished event, in characters; a stream that goes on is not ours. */
const LONGEST = 65536;

/** Takes the next bytes of a stream. Throws a RangeError where an event grows too long. */
export type EventReader = (chunk: Uint8Array) => void;

/** Calls `take` with the name and data of each event once it is complete. `id` and `retry` mean nothing here. */
export function eventReader(take: (name: string, data: string) => void): EventReader {
  const decoder = new TextDecoder();
  let rest = "";
  let cutAfterCr = false;
  return (chunk) => {
    const text = decoder.decode(chunk, { stream: true });
    if (!text) return;
    // The other half of a CRLF that was cut: its line has ended already.
    rest += (cutAfterCr ? text.replace(/^\n/, "") : text).replace(/\r\n?/g, "\n");
    cutAfterCr = text.endsWith("\r");
    const events = rest.split("\n\n");
    rest = events.pop()!;
    for (const lines of events) {
      let name = "";
      const data: string[] = [];
      for (const line of lines.split("\n")) {
        const [, key, value = ""] = /^([^:]*):? ?(.*)$/s.exec(line)!;
        if (key === "event") name = value;
        if (key === "data") data.push(value);
      }
      if (data.length) take(name || "message", data.join("\n"));
    }
    if (rest.length > LONGEST) throw new RangeError("an event without end");
  };
}
