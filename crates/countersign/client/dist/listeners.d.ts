import type { SessionEvents } from "./state.js";
type Listener<Name extends keyof SessionEvents> = (event: SessionEvents[Name]) => void;
/** The listeners of one tab. */
export interface Listeners {
    readonly _on: <Name extends keyof SessionEvents>(name: Name, listener: Listener<Name>) => () => void;
    /** Tells them. Timers, the event stream and other tabs give the same warning: it is told once. */
    readonly _emit: <Name extends keyof SessionEvents>(name: Name, event: SessionEvents[Name]) => void;
}
export declare function createListeners(): Listeners;
/** A listener that throws harms nobody else. */
export declare function tell<T>(listener: (value: T) => void, value: T): void;
export {};
