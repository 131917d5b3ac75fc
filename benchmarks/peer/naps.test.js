// The twin of worker/test_naps.py.
import { introspectWorkflowInstance } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, inject, test } from "vitest";

const naps = 100;

for (let number = 0; number < inject("tests"); number++) {
  test(`naps ${number}`, { timeout: 60_000 }, async () => {
    const id = `naps-${number}`;
    await using instance = await introspectWorkflowInstance(env.BENCH, id);
    await instance.modify((modifier) => modifier.disableSleeps());
    await env.BENCH.create({ id, params: { kind: "naps", n: naps } });
    await instance.waitForStatus("complete");
    expect(await instance.getOutput()).toBe(naps);
  });
}
