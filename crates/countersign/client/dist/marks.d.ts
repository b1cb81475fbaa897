import type { Environment } from "./environment.js";
import type { SessionObject } from "./state.js";
/** One renewal, login or logout of this browser: a number that rises with each, and the session after it, empty after a logout. */
export type Mark = readonly [number: number, id: string];
/** The marks of all tabs. */
export interface Marks {
    /** The newest that a tab holds; `[0, ""]` where there is none. */
    _newest(): Promise<Mark>;
    /** Holds a new one in place of this tab's last. */
    _hold(number: number, session: SessionObject | null): Promise<void>;
    /** Lets go of it: another tab holds a newer one, or this page goes. */
    _drop(): void;
}
export declare function createMarks({ locks }: Environment, lockName: string): Marks;
