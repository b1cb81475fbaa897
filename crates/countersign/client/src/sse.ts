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
  let name = "";
  let data: string | undefined;

  function field(line: string): void {
    const [, key, value = ""] = /^([^:]*):? ?([^]*)$/.exec(line)!;
    if (key === "event") name = value;
    else if (key === "data") data = data === undefined ? value : `${data}\n${value}`;
  }

  function dispatch(): void {
    if (data !== undefined) take(name || "message", data);
    name = "";
    data = undefined;
  }

  return (chunk) => {
    let text = decoder.decode(chunk, { stream: true });
    if (!text) return;
    // The other half of a CRLF that was cut: its line has ended already.
    const fresh = cutAfterCr && text[0] === "\n" ? text.slice(1) : text;
    cutAfterCr = text.endsWith("\r");
    const lines = (rest + fresh).split(/\r\n?|\n/);
    rest = lines.pop()!;
    for (const line of lines) line ? field(line) : dispatch();
    if (rest.length + (data?.length ?? 0) > LONGEST) throw new RangeError("an event without end");
  };
}
