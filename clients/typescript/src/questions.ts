/** The names and types of questions and answers, from the generated schema. */

import type { components, operations } from "./schema.js";

/** `ruleset.decision`. */
export type Decision = Extract<keyof operations, `${string}.${string}`>;
export type Ruleset = RulesetOf<Decision>;
type RulesetOf<D extends Decision> = D extends `${infer R}.${string}` ? Extract<R, keyof operations> : never;

interface Asks {
  requestBody: { content: { "application/json": { facts: object } } };
  responses: { 200: { content: { "application/json": unknown } } };
}
type Asking<N extends keyof operations> = Extract<operations[N], Asks>;

/** A question: `facts`, and what may stand beside them: `as_of`, `readings`, `explain` and `for`. */
export type QuestionOf<N extends Decision | Ruleset> = Asking<N>["requestBody"]["content"]["application/json"];
export type FactsOf<N extends Decision | Ruleset> = QuestionOf<N>["facts"];

/** Decimals, dates and instants are texts, with all their digits. */
export type Answer = components["schemas"]["Answer"];
export type AnswerOf<D extends Decision> = Asking<D>["responses"][200]["content"]["application/json"];
export type AnswersOf<R extends Ruleset> = Asking<R>["responses"][200]["content"]["application/json"];

export type RulesetSummary = components["schemas"]["Rulesets"]["rulesets"][number];
export type Readiness = components["schemas"]["Readiness"];
