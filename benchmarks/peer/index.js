import { WorkflowEntrypoint } from "cloudflare:workers";

export class Hello extends WorkflowEntrypoint {
  async run(event, step) {
    return await step.do("hello", async () => "hello");
  }
}

export default {
  async fetch() {
    return new Response("hello");
  },
};
