import { expect, test } from "vitest";
import { ApiError } from "../api/client";
import type { Answer, AnswerTaken, RequestState } from "../generated/wire";
import { approval } from "../sync/samples";
import { createAnswers } from "./answers";

const once: Answer = { kind: "approval", decision: "once", message: null };
const reject: Answer = { kind: "approval", decision: "reject", message: null };
const offline = () => new ApiError({ status: 0, code: "internal", title: "no answer" }, true);
const late = (stands?: RequestState) => new ApiError({ status: 409, code: "request_closed", title: "the request is already closed", stands });

function setUp(outcomes: Array<Error | undefined>) {
  const sent: string[] = [];
  const answers = createAnswers(
    { taken: (thread) => sent.push(`taken ${thread}`), agent: () => "Kilo" },
    {
      answer: async (_, request, answer) => {
        sent.push(`${request} ${answer.kind === "approval" ? answer.decision : answer.kind}`);
        const error = outcomes.shift();
        if (error) throw error;
        return {} as AnswerTaken;
      },
    },
  );
  return { answers, sent };
}

test("an answer that could not be sent is sent again when the connection is back", async () => {
  const { answers, sent } = setUp([offline()]);
  await answers.give("thr_1", approval("a"), once);
  expect(answers.of("a")?.state).toBe("waiting");
  answers.resume();
  await new Promise((done) => setTimeout(done));
  expect(sent).toEqual(["a once", "a once", "taken thr_1"]);
  expect(answers.of("a")).toBeUndefined();
});

test("one that was taken back is not sent again", async () => {
  const { answers, sent } = setUp([offline()]);
  await answers.give("thr_1", approval("a"), once);
  answers.takeBack("a");
  answers.resume();
  expect(sent).toEqual(["a once"]);
});

test("who answers too late is told how it was answered, until they answer again", async () => {
  const { answers } = setUp([late({ state: "resolved", answer: once })]);
  await answers.give("thr_1", approval("a"), reject);
  expect(answers.said("thr_1")).toBe("Already answered on another device: allowed once.");
  expect(answers.said("thr_2")).toBeUndefined();
  expect(answers.of("a")).toBeUndefined();
  await answers.give("thr_1", approval("b"), once);
  expect(answers.said("thr_1")).toBeUndefined();
});

test("an answer that waited while its turn ended is said to have come to nothing", async () => {
  const { answers } = setUp([offline(), late({ state: "withdrawn", reason: "the turn ended" })]);
  await answers.give("thr_1", approval("a"), once);
  answers.resume();
  await new Promise((done) => setTimeout(done));
  expect(answers.said("thr_1")).toBe("Your answer was not delivered: the turn ended.");
});
