import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ApiProblem, isNotYetThere, NodeUnreachable } from "./problem.ts";
import { addressOf, send } from "./request.ts";

const PROBLEM = {
  type: "urn:computility:problem:unknown-job",
  title: "Unknown job",
  status: 404,
  code: "unknown-job",
  detail: "no such job",
};

let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    const kind = request.url === "/problem" ? "application/problem+json" : "text/html";
    const status = request.url === "/fine" ? 200 : request.url === "/problem" ? 404 : 502;
    response
      .writeHead(status, { "Content-Type": kind })
      .end(kind === "text/html" ? "<h1>hm</h1>" : JSON.stringify(PROBLEM));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => server.close());

const failureOf = (address: string) =>
  send(address).then(
    () => undefined,
    (error: unknown) => error,
  );

test("an answer comes through", async () => {
  expect((await send(`${url}/fine`)).status).toBe(200);
});

test("a problem keeps its code, status and detail", async () => {
  const error = await failureOf(`${url}/problem`);
  expect(error).toBeInstanceOf(ApiProblem);
  expect(error).toMatchObject({ code: "unknown-job", status: 404, message: "no such job" });
  expect(isNotYetThere(error)).toBe(true);
});

test("a proxy's error page is no answer of the node", async () => {
  const error = await failureOf(`${url}/proxy`);
  expect(error).toBeInstanceOf(NodeUnreachable);
  expect(isNotYetThere(error)).toBe(false);
});

test("a node that is away is told apart from one that refuses", async () => {
  expect(await failureOf("http://127.0.0.1:9/v1/health")).toBeInstanceOf(NodeUnreachable);
});

test("a request that the page itself gave up is not the node's fault", async () => {
  const given = AbortSignal.abort();
  await expect(send(`${url}/fine`, { signal: given })).rejects.not.toBeInstanceOf(NodeUnreachable);
});

test("parameters are escaped, and what is absent is left out", () => {
  expect(addressOf("/v1/jobs/{job_id}/events", { job_id: "a/b" }, { limit: 5, cursor: null, name: "" })).toBe(
    "/v1/jobs/a%2Fb/events?limit=5",
  );
  expect(addressOf("/v1/health")).toBe("/v1/health");
});
