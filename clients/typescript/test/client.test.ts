/** The client against the service at `POLICY_SERVICE`, and against servers that refuse. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";

import { Client, type Line, NoAnswer, never, Refused, usual } from "../src/index.js";

const address = process.env["POLICY_SERVICE"] ?? "http://localhost:8000";
const client = new Client(address);
const as_of = "2025-06-30";
const facts = {
  destination_category: "referred",
  move_effective_date: "2025-03-20",
  customer_conversion_date: "2025-01-19",
  partner_deployment_date: "2022-09-01",
} as const;

test("a decision has the types of its rules", async () => {
  const answer = await client.decide("partner_earnings.revenue_share", { facts, as_of });
  const outcome: "eligible" | "not_eligible" | "replaced_by_upfront_discount" | null = answer.outcome ?? null;
  assert.equal(outcome, "eligible");
  assert.equal(answer.reason, "The account moved 60 days after the conversion; 60 are allowed.");
  const deadline = await client.decide("can_spam.opt_out_deadline", { facts: { opt_out_received_on: "2025-06-27" } });
  const latest: string | null | undefined = deadline.values?.latest_date;
  assert.equal(latest, "2025-07-11");
});

test("what the rules do not have is an error of the compiler", () => {
  const asks = [
    // @ts-expect-error there is no such decision
    () => client.decide("partner_earnings.revenue_shares", { facts }),
    // @ts-expect-error there is no such outcome of this fact
    () => client.decide("partner_earnings.revenue_share", { facts: { ...facts, destination_category: "Managed" } }),
    // @ts-expect-error there is no such fact
    () => client.decide("can_spam.opt_out_deadline", { facts: { opt_out_received: "2025-06-27" } }),
    // @ts-expect-error there is no such choice of the reading
    () => client.decide("partner_earnings.revenue_share", { facts, readings: { day_60: "maybe" } }),
    // @ts-expect-error there is no such ruleset
    () => client.decideAll("partner", { facts }),
    // @ts-expect-error there is no such outcome
    async () => (await client.decide("partner_earnings.revenue_share", { facts })).outcome === "perhaps",
  ];
  assert.equal(asks.length, 6);
});

test("readings, traces and readers", async () => {
  const asked = { facts, as_of };
  const switched = await client.decide("partner_earnings.revenue_share", { ...asked, readings: { day_60: "does_not_count" } });
  assert.equal(switched.outcome, "not_eligible");
  const traced = await client.decide("partner_earnings.revenue_share", { ...asked, explain: "trace" });
  assert.ok(traced.trace);
  const told = await client.decide("partner_earnings.revenue_share", { ...asked, for: "customer" });
  assert.equal(told.values, undefined);
  assert.equal(told.explanation?.[0]?.lines.at(-1)?.text, traced.reason);
});

test("all decisions of a ruleset", async () => {
  const answers = await client.decideAll("partner_earnings", { facts, as_of });
  assert.equal(answers.revenue_share?.outcome, "eligible");
});

const questions: Line[] = [
  { decision: "partner_earnings.revenue_share", facts, as_of },
  { decision: "partner_earnings", facts, as_of },
  { decision: "partner_earnings.revenue_share", facts: {} as typeof facts, as_of },
];

for (const atOnce of [1, 2, 500]) {
  test(`a batch answers each question in order, ${atOnce} at once`, async () => {
    const told = [];
    for await (const each of client.batch(questions, { atOnce })) told.push(each);
    assert.deepEqual(told.map((each) => each.question), questions);
    assert.equal((told[0]?.answer as { outcome?: unknown }).outcome, "eligible");
    assert.ok("revenue_share" in (told[1]?.answer as object));
    assert.equal(told[2]?.error?.kind, "invalid-facts");
  });
}

test("a batch takes questions as they are needed", async () => {
  let taken = 0;
  async function* endless() {
    for (;;) {
      taken += 1;
      yield { decision: "can_spam.opt_out_deadline" as const, facts: { opt_out_received_on: "2025-06-27" } };
    }
  }
  for await (const { answer } of client.batch(endless(), { atOnce: 10 })) {
    const latest: string | null | undefined = answer?.values?.latest_date;
    assert.equal(latest, "2025-07-11");
    if (taken > 10) break;
  }
  assert.equal(taken, 20);
  await assert.rejects(client.batch(questions, { atOnce: 0 }).next(), /at least 1, not 0/);
});

test("rulesets and readiness", async () => {
  const found = (await client.rulesets()).find((each) => each.id === "partner_earnings");
  assert.ok(found?.decisions.some((each) => each.name === "revenue_share"));
  assert.equal((await client.ready()).epoch, 1);
});

test("a problem is thrown with its document", async () => {
  const asked = client.decide("partner_earnings.revenue_share", { facts: {} as typeof facts, as_of }, { requestId: "mine-7" });
  const error = await asked.then(() => assert.fail(), (reason: unknown) => reason);
  assert.ok(error instanceof Refused);
  assert.deepEqual([error.kind, error.requestId, error.problem.status], ["invalid-facts", "mine-7", 422]);
  assert.equal(error.problem.violations?.[0]?.message, "`destination_category` is missing");
});

test("a number that JavaScript rounds is neither sent nor taken", async () => {
  const months = 2 ** 53;
  const asked = client.decide("partner_lifecycle.brand_suspension", { facts: { month_number_unable_to_pay: months } as never });
  await assert.rejects(asked, /`month_number_unable_to_pay`: 9007199254740992 is no number that JavaScript holds exactly/);
  await refusing([{ status: 200, body: '{"epoch":9007199254740993}' }], async (at) => {
    await assert.rejects(new Client(at).ready(), /`epoch` of the answer is a number that JavaScript cannot hold exactly/);
  });
});

interface Step {
  status: number;
  body?: string;
  headers?: Record<string, string>;
}

/** Ask a server that does one after another with what it is asked; with the status 0 it hangs up, with 1 it is silent. */
async function refusing(steps: Step[], ask: (address: string) => Promise<void>): Promise<void> {
  const waiting = [...steps];
  const server = createServer((request, response) => {
    const { status, body = "", headers = {} } = waiting.shift() ?? { status: 500 };
    if (status === 0) request.socket.destroy();
    if (status > 1) response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  try {
    await ask(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    assert.equal(waiting.length, 0, "it was not asked so often");
  } finally {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
}

const fine = { status: 200, body: '{"status":"ready","epoch":1,"rulesets":2,"reload":"fine"}' };
const slowly = { status: 429, headers: { "retry-after": "0" } };
const atOnce = { ...usual, jitter: () => 0 };

for (const steps of [[{ status: 503 }], [{ status: 502 }, { status: 504 }, slowly], [{ status: 0 }]]) {
  test(`who is refused for a while asks again: ${steps.map((each) => each.status)}`, async () => {
    await refusing([...steps, fine], async (at) => {
      assert.equal((await new Client(at, { retries: atOnce }).ready()).rulesets, 2);
    });
  });
}

for (const step of [{ status: 500 }, { status: 429 }, { status: 503, headers: { "retry-after": "3600" } }, { status: 302 }]) {
  test(`what waiting does not mend is asked once: ${step.status}`, async () => {
    await refusing([step], async (at) => {
      await assert.rejects(new Client(at, { retries: atOnce }).ready(), { name: "Refused" });
    });
  });
}

test("who is refused again and again gives up", async () => {
  await refusing([{ status: 503 }, { status: 503 }], async (at) => {
    await assert.rejects(new Client(at, { retries: { ...atOnce, most: 1 } }).ready(), /503 There is no answer/);
  });
});

test("an answer that takes too long, or is not waited for", async () => {
  await refusing([{ status: 1 }], async (at) => {
    await assert.rejects(new Client(at, { timeout: 100, retries: atOnce }).ready(), NoAnswer);
  });
  await refusing([{ status: 1 }], async (at) => {
    await assert.rejects(new Client(at).ready({ signal: AbortSignal.timeout(100) }), { name: "TimeoutError" });
  });
});

test("what is no answer of the service is told", async () => {
  await refusing([{ status: 200, body: "<html>" }], async (at) => {
    await assert.rejects(new Client(at, { retries: never }).ready(), /what came is not JSON/);
  });
  await assert.rejects(new Client("http://127.0.0.1:1", { retries: never }).ready(), /no answer from http:\/\/127\.0\.0\.1:1: /);
  assert.throws(() => new Client("localhost:8000"), /the address of a service is such as/);
});

test("a key is sent, and never shown", async () => {
  const seen: (string | null)[] = [];
  const fetched: typeof fetch = async (_, given) => {
    seen.push(new Headers(given?.headers).get("authorization"));
    return new Response(fine.body);
  };
  await new Client("http://a", { key: async () => "pk_1", fetch: fetched }).ready();
  assert.deepEqual(seen, ["Bearer pk_1"]);
  await assert.rejects(new Client("http://a", { key: "secret\n" }).ready(), (error: Error) => !error.message.includes("secret"));
});
