// The twin of worker/entry.py.
import { WorkflowEntrypoint } from "cloudflare:workers";

const ended = { done: 0, last: 0 };

export class Hello extends WorkflowEntrypoint {
  async run(event, step) {
    return await step.do("hello", async () => "hello");
  }
}

export class Bench extends WorkflowEntrypoint {
  async run(event, step) {
    const result = await this.work(event.payload, step);
    ended.done += 1;
    ended.last = Date.now();
    return result;
  }

  async work({ kind, n }, step) {
    switch (kind) {
      case "steps": {
        const marks = [Date.now()];
        for (let i = 0; i < n; i++) {
          await step.do(`step ${i}`, async () => i);
          if ((i + 1) % (n / 10) === 0) marks.push(Date.now());
        }
        return marks;
      }
      case "fan-out":
        return (await Promise.all(Array.from({ length: n }, (_, i) => step.do(`step ${i}`, async () => i)))).length;
      case "event":
        return (await step.waitForEvent("go", { type: "go", timeout: "1 hour" })).payload;
      case "sleep":
        await step.do("before", async () => 1);
        await step.sleep("nap", n * 1000);
        return await step.do("after", async () => 2);
      case "naps":
        for (let i = 0; i < n; i++) {
          await step.do(`step ${i}`, async () => i);
          await step.sleep(`nap ${i}`, "8 hours");
        }
        return n;
      case "until":
        return await step.sleepUntil("nap", n);
    }
    throw new Error(`There is no kind "${kind}".`);
  }
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const [head, id] = url.pathname.split("/").slice(1);
    switch (head) {
      case "":
        return new Response("hello");
      case "done":
        return Response.json(ended);
      case "create": {
        const query = url.searchParams;
        const params = { kind: query.get("kind"), n: Number(query.get("n")) };
        const creations = Array.from({ length: Number(query.get("count")) }, () => env.BENCH.create({ params }));
        return Response.json((await Promise.all(creations)).map((instance) => instance.id));
      }
      case "status":
        return Response.json(await (await env.BENCH.get(id)).status());
      case "finish": {
        const instance = await env.BENCH.get(id);
        await instance.sendEvent({ type: "go", payload: "gone" });
        let status;
        do status = await instance.status();
        while (status.status !== "complete");
        return Response.json(status);
      }
    }
    return new Response("not found", { status: 404 });
  },
};
