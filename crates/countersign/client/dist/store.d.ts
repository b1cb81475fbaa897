/** A value over time. Neither function needs `this`. */
export interface Store<T> {
    /** The value now; the same object until it changes. */
    readonly get: () => T;
    /** Calls the listener at once, and again after each change, until the returned function is called. */
    readonly subscribe: (listener: (value: T) => void) => () => void;
}
