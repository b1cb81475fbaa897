// When to try again: exponential backoff with full jitter and a cap, and what the server asks for.

const FIRST = 500;
const CAP = 60_000;
/** Nobody means more than a day; and a timer of more than 24 days goes off at once. */
const DAY = 86_400_000;

/** How long to wait before repetition `attempt` (0, 1, …), in milliseconds. `random` is from 0 up to 1. */
export function backoff(attempt: number, random: number): number {
  return random * Math.min(CAP, FIRST * 2 ** attempt);
}

/** What `Retry-After` asks for, in milliseconds from now (RFC 9110, section 10.2.3); 0 where it is missing or nonsense. */
export function retryAfter(response: Response | undefined, now: number): number {
  const text = response?.headers.get("Retry-After");
  const milliseconds = +text! * 1000 || Date.parse(text!) - now;
  return milliseconds > 0 ? Math.min(milliseconds, DAY) : 0;
}
