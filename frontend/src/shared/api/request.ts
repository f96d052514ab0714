import type { paths } from "@/generated/api.ts";
import { ApiProblem, NodeUnreachable, type Problem } from "./problem.ts";

type PathsWith<Method extends string> = {
  [Path in keyof paths]: paths[Path] extends { readonly [M in Method]: object } ? Path : never;
}[keyof paths];

type Operation<Path extends keyof paths, Method extends string> = paths[Path] extends {
  readonly [M in Method]: infer Found;
}
  ? Found
  : never;

type JsonOf<Response> = Response extends { content: { readonly "application/json": infer Body } } ? Body : never;

type SuccessOf<Op> = Op extends { readonly responses: infer Responses }
  ? JsonOf<Responses extends { readonly 201: infer Created } ? Created : Responses[200 & keyof Responses]>
  : never;

type QueryOf<Op> = Op extends { readonly parameters: { readonly query?: infer Query } } ? Query : never;

type PathParametersOf<Op> = Op extends { readonly parameters: { readonly path: infer Parameters extends object } }
  ? Parameters
  : undefined;

type BodyOf<Op> = Op extends { readonly requestBody: { readonly content: { readonly "application/json": infer Body } } }
  ? Body
  : never;

interface Options<Op> {
  readonly path?: PathParametersOf<Op>;
  readonly query?: QueryOf<Op>;
  readonly signal?: AbortSignal | undefined;
}

/** Reads from the node. Throws `ApiProblem` or `NodeUnreachable`. */
export async function get<Path extends PathsWith<"get">>(
  path: Path,
  options: Options<Operation<Path, "get">> = {},
): Promise<SuccessOf<Operation<Path, "get">>> {
  const answer = await send(addressOf(path, options.path as object | undefined, options.query as object | undefined), {
    signal: options.signal ?? null,
  });
  return (await answer.json()) as SuccessOf<Operation<Path, "get">>;
}

/** Hands the node a document. Throws `ApiProblem` or `NodeUnreachable`. */
export async function post<Path extends PathsWith<"post">>(
  path: Path,
  body: BodyOf<Operation<Path, "post">>,
): Promise<SuccessOf<Operation<Path, "post">>> {
  const headers = { "Content-Type": "application/json" };
  const answer = await send(path, { method: "POST", headers, body: JSON.stringify(body) });
  return (await answer.json()) as SuccessOf<Operation<Path, "post">>;
}

/** A request under the page's own origin. Throws `ApiProblem` or `NodeUnreachable`. */
export async function send(address: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(address, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new NodeUnreachable("The node does not answer.", { cause: error });
  }
  if (answer.ok) return answer;
  throw await problemIn(answer);
}

async function problemIn(answer: Response): Promise<Error> {
  if (answer.headers.get("content-type")?.includes("problem+json")) {
    const problem = (await answer.json().catch(() => undefined)) as Problem | undefined;
    if (typeof problem?.detail === "string" && typeof problem.code === "string") return new ApiProblem(problem);
  }
  return new NodeUnreachable(`Something other than a node answered, with status ${answer.status}.`);
}

/** The path with its parameters filled in, and a query without what is absent. */
export function addressOf(path: string, parameters?: object, query?: object | null): string {
  let filled = path;
  for (const [name, value] of Object.entries(parameters ?? {})) {
    filled = filled.replace(`{${name}}`, encodeURIComponent(String(value)));
  }
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  }
  return search.size > 0 ? `${filled}?${search}` : filled;
}
