from cfworkflows import Response, WorkerEntrypoint, WorkflowEntrypoint


class Hello(WorkflowEntrypoint):
    async def run(self, event, step):
        return await step.do("hello", lambda: "hello")


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("hello")
