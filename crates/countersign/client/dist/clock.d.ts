import type { Environment } from "./environment.js";
/** The server's clock. */
export interface Clock {
    /** Unix seconds, with a fraction; the local clock until an answer has come. */
    readonly now: () => number;
    /** Learns from an answer; `sent` is what `environment.now` said when its request left. */
    readonly _heard: (response: Response, sent: number) => void;
}
export declare function createClock(environment: Environment): Clock;
