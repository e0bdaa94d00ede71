// Runs a step or flow of the pack in Windmill and gives its result. Works in Node, Deno, Bun
// and browsers; nothing to install.
type Windmill = { url: string; workspace: string; token: string };
type Failure = { message: string; extra?: { type?: string; advice?: string } };

export async function run<Result>(
  windmill: Windmill,
  path: string, // such as f/togetherai/chat/ask_model
  args: Record<string, unknown>,
  kind: "p" | "f" = "p", // a script, or a flow
): Promise<Result> {
  const api = `${windmill.url}/api/w/${windmill.workspace}`;
  const headers = {
    authorization: `Bearer ${windmill.token}`,
    "content-type": "application/json",
  };
  const start = await fetch(`${api}/jobs/run/${kind}/${path}`, {
    method: "POST",
    headers,
    body: JSON.stringify(args),
  });
  if (!start.ok) throw new Error(`${start.status}: ${await start.text()}`);
  const job = await start.text();
  // Asked again and again, so that no proxy on the way ends a long wait.
  for (let pause = 200; ; pause = Math.min(pause * 1.5, 5000)) {
    const look = await fetch(`${api}/jobs_u/completed/get_result_maybe/${job}`, { headers });
    if (!look.ok) throw new Error(`${look.status}: ${await look.text()}`);
    const { completed, success, result } = await look.json();
    if (completed && success) return result as Result;
    if (completed) {
      const failure = result.error as Failure;
      throw new Error(`${failure.message} ${failure.extra?.advice ?? ""}`.trim());
    }
    await new Promise((done) => setTimeout(done, pause));
  }
}

export async function ask(windmill: Windmill, prompt: string): Promise<string> {
  const args = { auth: "$res:f/togetherai/key", prompt };
  const { text } = await run<{ text: string }>(windmill, "f/togetherai/chat/ask_model", args);
  return text;
}
