/** JSON whose numbers are what they seem: one that JavaScript cannot hold is refused, and never rounded. */

import { NoAnswer } from "./problems.js";

/** A question as JSON; throws `TypeError` for a number that would not arrive as it was meant. */
export function exactText(value: unknown): string {
  return JSON.stringify(value, (name, member: unknown) => {
    if (typeof member === "number" && (!Number.isFinite(member) || isRounded(member))) {
      throw new TypeError(`\`${name}\`: ${member} is no number that JavaScript holds exactly`);
    }
    return member;
  });
}

/** The value of a JSON text; throws `NoAnswer` where it is none, or holds such a number. */
export function exactValue(text: string): unknown {
  let value: unknown;
  let rounded = "";
  try {
    value = JSON.parse(text, (name, member: unknown) => {
      if (typeof member === "number" && isRounded(member)) rounded ||= name;
      return member;
    });
  } catch {
    throw new NoAnswer("what came is not JSON, so it is no answer of this service: is the address right?");
  }
  if (rounded) throw new NoAnswer(`\`${rounded}\` of the answer is a number that JavaScript cannot hold exactly`);
  return value;
}

function isRounded(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}
