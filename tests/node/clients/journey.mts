// What a platform does, by a client that openapi-typescript and openapi-fetch make of the contract.
//
//   node journey.mjs ADDRESS < QUESTION
//
// QUESTION is JSON: {"code", "public_key", "mapping", "acts"}. Prints the receipt of the first act as it came.
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { components, paths } from "./contract.js";

type Operation = components["schemas"]["OperationDocument"];
interface Question {
  code: string;
  public_key: string;
  mapping: string;
  acts: Record<string, unknown>[];
}

const question = JSON.parse(readFileSync(0, "utf8")) as Question;
const gateway = createClient<paths>({ baseUrl: process.argv[2] ?? "" });

function good<Data>(answer: { data?: Data; error?: components["schemas"]["Problem"] }): Data {
  if (answer.data === undefined) {
    throw new Error(JSON.stringify(answer.error));
  }
  return answer.data;
}

const key = good(
  await gateway.POST("/v1/platforms/{region}/{name}/enrolment", {
    params: { path: { region: "cn-420100", name: "wuhan" } },
    body: { code: question.code, public_key: question.public_key },
  }),
);
const operation: Operation = good(
  await gateway.POST("/v1/acts", {
    params: { header: { "Idempotency-Key": `typescript-${key.id}`, Prefer: "wait=30" } },
    body: { mapping: question.mapping, acts: question.acts },
  }),
);
const outcomes = operation.outcomes ?? [];
const first = outcomes.find(({ outcome }) => outcome === "accepted");
if (!first?.record) {
  throw new Error(JSON.stringify(operation));
}
const found = good(
  await gateway.GET("/v1/records/{record_id}", { params: { path: { record_id: first.record } } }),
);
const receipt = await gateway.GET("/v1/receipts/{record_id}", {
  params: {
    path: { record_id: first.record },
    query: { batch: found.batch, disclose: ["event"] },
  },
  parseAs: "text",
});
console.log(good(receipt));
