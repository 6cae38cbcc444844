/** Why there is no answer. */

import type { AnswerOf } from "./questions.js";

/** A problem document (RFC 9457), as the service sends it. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  violations?: Violation[];
  /** The decision that refuses, where the caller may not ask. */
  decision?: AnswerOf<"engine_access.permission">;
}

/** One way in which facts are invalid; `pointer` is the place of the value in the facts, as a JSON pointer. */
export interface Violation {
  pointer: string;
  keyword: string;
  expected: string;
  message: string;
  description: string;
}

/** The service answered with a problem. */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(readonly problem: Problem, readonly requestId: string) {
    super(`${problem.status} ${problem.title}: ${problem.detail}`);
  }

  /** The name of its kind, such as `invalid-facts`; empty where another server answered. */
  get kind(): string {
    return /\/problems\/([a-z-]+)$/.exec(this.problem.type)?.[1] ?? "";
  }
}

/** The service was not reached, or what came is no answer of it. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  /** Whether that may be otherwise in a moment. */
  readonly mayPass: boolean;

  constructor(message: string, { cause, mayPass = false }: { cause?: unknown; mayPass?: boolean } = {}) {
    super(message, { cause });
    this.mayPass = mayPass;
  }
}

/** The error for a problem document; throws `NoAnswer` where it is none. */
export function refused(told: unknown, requestId: string): Refused {
  if (!isProblem(told)) throw new NoAnswer("what came is no problem of this service: is the address right?");
  return new Refused(told, requestId);
}

function isProblem(told: unknown): told is Problem {
  if (typeof told !== "object" || told === null) return false;
  const { type, title, status, detail } = told as Partial<Problem>;
  return [type, title, detail].every((text) => typeof text === "string") && typeof status === "number";
}
