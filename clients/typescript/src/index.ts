/** Asks the decision service. `schema.ts` is generated from its `/openapi.json`; all else here is written by hand. */

import { type Answered, type Line, linesOf, partsOf, requestOf } from "./batches.js";
import { exactText, exactValue } from "./exact.js";
import { NoAnswer } from "./problems.js";
import type { AnswerOf, AnswersOf, Decision, QuestionOf, Readiness, Ruleset, RulesetSummary } from "./questions.js";
import { type Reply, refusedBy } from "./replies.js";
import { type Retries, usual, waitAfter } from "./retries.js";

export type { Answered, Line } from "./batches.js";
export { NoAnswer, type Problem, Refused, type Violation } from "./problems.js";
export type { Answer, AnswerOf, AnswersOf, Decision, FactsOf, QuestionOf, Readiness, Ruleset, RulesetSummary } from "./questions.js";
export { never, type Retries, usual } from "./retries.js";
export type { components, operations, paths } from "./schema.js";

export interface Settings {
  /** A key or a token, or what gives one that is valid now. */
  key?: string | (() => string | Promise<string>);
  /** Milliseconds that a request may take, its answer included. */
  timeout?: number;
  retries?: Retries;
  /** In the place of the global `fetch`. */
  fetch?: typeof globalThis.fetch;
}

export interface Options {
  /** Names the request in the log of the service. */
  requestId?: string;
  /** Ends the request early. */
  signal?: AbortSignal;
}

/** The service at an address, such as `http://localhost:8000`. All methods throw `Refused` or `NoAnswer`. */
export class Client {
  readonly #address: string;
  readonly #settings: Required<Settings>;

  constructor(address: string, { key = "", timeout = 10_000, retries = usual, fetch = globalThis.fetch }: Settings = {}) {
    if (!/^https?:\/\/[^/?#]+[^?#]*$/.test(address)) {
      throw new TypeError(`the address of a service is such as http://localhost:8000, not \`${address}\``);
    }
    this.#address = address.replace(/\/+$/, "");
    this.#settings = { key, timeout, retries, fetch };
  }

  /** The answer to a question about one decision, named `ruleset.decision`. */
  async decide<D extends Decision>(decision: D, question: QuestionOf<D>, options: Options = {}): Promise<AnswerOf<D>> {
    const path = `/v1/decisions/${decision.split(".").map(encodeURIComponent).join("/")}`;
    return this.#told(await this.#sent("POST", path, exactText(question), "application/json", options));
  }

  /** The answers to all decisions of a ruleset about the same facts, by their names. */
  async decideAll<R extends Ruleset>(ruleset: R, question: QuestionOf<R>, options: Options = {}): Promise<AnswersOf<R>> {
    const path = `/v1/decisions/${encodeURIComponent(ruleset)}`;
    return this.#told(await this.#sent("POST", path, exactText(question), "application/json", options));
  }

  /** Each question with its answer, or the error in its place, in order. They are sent `atOnce` at a time, as they are needed. */
  async *batch<L extends Line>(
    questions: Iterable<L> | AsyncIterable<L>,
    { atOnce = 500, ...options }: Options & { atOnce?: number } = {},
  ): AsyncGenerator<Answered<L>, void, undefined> {
    for await (const part of partsOf(questions, atOnce)) {
      const response = await this.#sent("POST", "/v1/batch", requestOf(part), "application/jsonl", options);
      yield* linesOf(part, response.text, response.requestId);
    }
  }

  /** All rulesets in short. */
  async rulesets(options: Options = {}): Promise<RulesetSummary[]> {
    const told = this.#told<{ rulesets: RulesetSummary[] }>(await this.#sent("GET", "/v1/rulesets", null, "", options));
    return told.rulesets;
  }

  /** That questions are answered, and by which rules. */
  async ready(options: Options = {}): Promise<Readiness> {
    return this.#told(await this.#sent("GET", "/readyz", null, "", options));
  }

  #told<T>(reply: Reply): T {
    return exactValue(reply.text) as T;
  }

  /** What came of a request, which is sent again where that may help. Questions change nothing, so all may be. */
  async #sent(method: string, path: string, body: string | null, media: string, options: Options): Promise<Reply> {
    for (let number = 1; ; number += 1) {
      const came = await this.#once(method, path, body, media, options);
      const wait = waitAfter(this.#settings.retries, number, came);
      if (wait === null) {
        if (came instanceof NoAnswer) throw came;
        if (came.status !== 200) throw refusedBy(came);
        return came;
      }
      await pause(wait, options.signal);
    }
  }

  async #once(method: string, path: string, body: string | null, media: string, options: Options): Promise<Reply | NoAnswer> {
    const sent = await this.#headers(media, options.requestId);
    const limit = AbortSignal.timeout(this.#settings.timeout);
    const signal = options.signal ? anyOf(options.signal, limit) : limit;
    try {
      const response = await this.#settings.fetch(this.#address + path, { method, body, headers: sent, signal, redirect: "manual" });
      const { status, headers } = response;
      return { status, headers, text: await response.text(), requestId: headers.get("x-request-id") ?? "" };
    } catch (error) {
      if (options.signal?.aborted) throw error;
      return new NoAnswer(`no answer from ${this.#address}: ${reasonOf(error)}`, { cause: error, mayPass: !limit.aborted });
    }
  }

  async #headers(media: string, requestId: string | undefined): Promise<Record<string, string>> {
    const { key } = this.#settings;
    const shown = typeof key === "function" ? await key() : key;
    return {
      ...(media && { "content-type": media }),
      ...(shown && { authorization: `Bearer ${sendable("key", shown)}` }),
      ...(requestId && { "x-request-id": sendable("request id", requestId) }),
    };
  }
}

/** A text that a header can hold; the error does not tell it, for a key is a secret. */
function sendable(what: string, text: string): string {
  if (!/^[ -~]+$/.test(text)) throw new TypeError(`the ${what} has characters that cannot be sent`);
  return text;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}

/** What aborts when either does; `AbortSignal.any` came with Node.js 20. */
function anyOf(...signals: AbortSignal[]): AbortSignal {
  const either = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) either.abort(signal.reason);
    signal.addEventListener("abort", () => either.abort(signal.reason), { once: true, signal: either.signal });
  }
  return either.signal;
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(signal?.reason);
    if (signal?.aborted) return ended();
    setTimeout(() => {
      signal?.removeEventListener("abort", ended);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", ended, { once: true });
  });
}
