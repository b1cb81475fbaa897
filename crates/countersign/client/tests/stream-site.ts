// A server of event streams that does what a test tells it, over real connections.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request for the stream, as the server sees it. */
export class Visit {
  /** Resolves once the client has let go of it. */
  readonly gone: Promise<unknown>;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
  ) {
    this.gone = once(response, "close");
  }

  /** Opens the stream, as the real server does. */
  open(): this {
    this.response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    return this.send("keepalive", {});
  }

  send(name: string, data: object): this {
    this.response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    return this;
  }

  answer(status: number, headers: Record<string, string> = {}, body = ""): void {
    this.response.writeHead(status, headers).end(body);
  }
}

export class StreamSite {
  #server = createServer((request, response) => this.#arrive(new Visit(request, response)));
  #arrived: Visit[] = [];
  #awaited: ((visit: Visit) => void)[] = [];
  /** How many have come, and how many are still there. */
  visits = 0;
  present = 0;

  async start(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/session`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** The next request for the stream. */
  next(): Promise<Visit> {
    const waiting = this.#arrived.shift();
    return waiting ? Promise.resolve(waiting) : new Promise((resolve) => this.#awaited.push(resolve));
  }

  #arrive(visit: Visit): void {
    this.visits++;
    this.present++;
    void visit.gone.then(() => this.present--);
    const taker = this.#awaited.shift();
    if (taker) taker(visit);
    else this.#arrived.push(visit);
  }
}
