/** Many questions in few requests, and which answer belongs to which of them. */

import { exactText, exactValue } from "./exact.js";
import { NoAnswer, type Refused, refused } from "./problems.js";
import type { AnswerOf, AnswersOf, Decision, QuestionOf, Ruleset } from "./questions.js";

/** A question of a batch. `decision` is `ruleset.decision`, or a ruleset alone, whose decisions are then all asked. */
export type Line = { [N in Decision | Ruleset]: { decision: N } & QuestionOf<N> }[Decision | Ruleset];

/** A question with its answer, or the error in its place; of a ruleset alone `answer` has one for each decision. */
export type Answered<L extends Line> =
  | { question: L; answer: AnswerTo<L>; error?: undefined }
  | { question: L; answer?: undefined; error: Refused };
type AnswerTo<L extends Line> = L["decision"] extends Decision
  ? AnswerOf<L["decision"]>
  : L["decision"] extends Ruleset
    ? AnswersOf<L["decision"]>
    : unknown;

/** The body that asks several questions. */
export function requestOf(questions: Line[]): string {
  return questions.map((question) => `${exactText(named(question))}\n`).join("");
}

function named({ decision: name, ...question }: Line): object {
  const [ruleset, decision] = name.split(".");
  return { ruleset, ...(decision && { decision }), ...question };
}

/** Each question with what was answered to it; throws `NoAnswer` where not every one was. */
export function* linesOf<L extends Line>(questions: L[], text: string, requestId: string): Generator<Answered<L>> {
  const lines = text.split("\n").filter((line) => line !== "");
  for (const [at, question] of questions.entries()) {
    const line = lines[at];
    if (line === undefined) break;
    yield answered(question, at + 1, exactValue(line), requestId);
  }
  if (lines.length !== questions.length) {
    throw new NoAnswer(`${questions.length} questions were sent, and ${lines.length} lines came back`);
  }
}

function answered<L extends Line>(question: L, number: number, told: unknown, requestId: string): Answered<L> {
  const { line, answer, problem } = (told ?? {}) as { line?: number; answer?: AnswerTo<L>; problem?: unknown };
  if (line !== number) throw new NoAnswer(`line ${line} came in the place of line ${number}`);
  if (problem !== undefined) return { question, error: refused(problem, requestId) };
  if (answer === undefined) throw new NoAnswer(`line ${number} has neither an answer nor a problem`);
  return { question, answer };
}

/** The questions, so many at a time. */
export async function* partsOf<L>(questions: Iterable<L> | AsyncIterable<L>, most: number): AsyncGenerator<L[]> {
  if (!(most >= 1)) throw new RangeError(`\`atOnce\` is how many questions are sent together: at least 1, not ${most}`);
  let part: L[] = [];
  for await (const question of questions) {
    part.push(question);
    if (part.length >= most) {
      yield part;
      part = [];
    }
  }
  if (part.length > 0) yield part;
}
