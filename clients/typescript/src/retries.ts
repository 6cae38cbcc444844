/** Whether and when a request is sent again. */

import { NoAnswer } from "./problems.js";

export interface Retries {
  /** How often a request is sent again. */
  most: number;
  /** Milliseconds of the first wait; each is twice the one before. */
  first: number;
  /** Milliseconds of the longest wait; where the service asks for a longer one the request is not sent again. */
  longest: number;
  /** The part of a wait that is waited, from 0 to 1, so that callers who failed together do not come back together. */
  jitter: () => number;
}

export const usual: Retries = { most: 3, first: 200, longest: 10_000, jitter: Math.random };
/** No request is sent again. */
export const never: Retries = { ...usual, most: 0 };

interface Came {
  status: number;
  headers: Headers;
}

/** Milliseconds to wait after so many tries, the last of which came to this; null where it is not tried again. */
export function waitAfter({ most, first, longest, jitter }: Retries, number: number, came: Came | NoAnswer): number | null {
  const asked = askedToWait(came);
  if (number > most || asked === null || asked > longest) return null;
  return asked + jitter() * Math.min(longest, first * 2 ** (number - 1));
}

/** Milliseconds that the service asks to wait; null where there is no use in asking again. */
function askedToWait(came: Came | NoAnswer): number | null {
  if (came instanceof NoAnswer) return came.mayPass ? 0 : null;
  const given = came.headers.get("retry-after") ?? "";
  const asked = /^\d{1,9}$/.test(given) ? Number(given) * 1000 : null;
  if (came.status === 429) return asked;
  return [502, 503, 504].includes(came.status) ? (asked ?? 0) : null;
}
