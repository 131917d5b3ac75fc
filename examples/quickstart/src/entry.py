from cfworkflows import Response, WorkerEntrypoint, WorkflowEntrypoint, WorkflowError


class Greeting(WorkflowEntrypoint):
    async def run(self, event, step):
        text = await step.do("write", lambda: f"Hello {event.payload.name}!")
        await step.sleep("let it sink in", "10 seconds")
        answer = await step.wait_for_event("wait for an answer", {"type": "answer", "timeout": "1 day"})
        return {"text": text, "answer": answer.payload}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        match request.url.split("/")[3:]:
            case ["greet", name]:
                instance = await self.env.GREETING.create({"params": {"name": name}})
                return Response.json({"id": instance.id})
            case ["greeting", id]:
                try:
                    instance = await self.env.GREETING.get(id)
                    if request.method == "POST":
                        await instance.send_event({"type": "answer", "payload": await request.text()})
                    return Response.json(await instance.status())
                except WorkflowError as error:  # there is no such greeting, or it has ended
                    return Response(f"{error}\n", {"status": 404 if error.code == "instance.not_found" else 409})
        return Response("GET /greet/<name>, GET /greeting/<id>, POST /greeting/<id>\n", {"status": 404})
