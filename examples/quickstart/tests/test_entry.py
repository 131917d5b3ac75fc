"""The greeting, tested as any project tests its Worker: `pytest` in the folder of the example."""


async def test_greeting_waits_for_its_answer(env):
    """The text is written, ten seconds pass, and the answer ends the instance."""
    instance = await env.GREETING.create(params={"name": "Ada"})
    await instance.send_event(type="answer", payload="thank you")
    assert await instance.result() == {"text": "Hello Ada!", "answer": "thank you"}


async def test_nobody_answers_for_a_day(env, clock):
    """The wait times out, a day and ten seconds after the start."""
    started = clock.datetime
    instance = await env.GREETING.create(params={"name": "Ada"})
    await clock.advance("1 day")
    assert (await instance.status()).status == "waiting"
    await clock.advance("10 seconds")
    assert (await instance.status()).error.name == "WorkflowTimeoutError"
    assert (clock.datetime - started).total_seconds() == 86_410


async def test_greeting_over_http(worker, env):
    """The Worker's own routes create an instance and hand the answer on."""
    created = await worker.fetch("/greet/Ada")
    id = (await created.json())["id"]
    response = await worker.fetch(f"/greeting/{id}", method="POST", body="hello")
    assert (await response.json())["status"] in ("running", "waiting")
    instance = await env.GREETING.get(id)
    assert (await instance.result())["answer"] == "hello"


async def test_unknown_greeting(worker):
    """It is a 404, and no error of the Worker's."""
    assert (await worker.fetch("/greeting/unknown")).status == 404


async def test_unknown_path(worker):
    """Anything else is answered with what can be asked."""
    assert (await worker.fetch("/")).status == 404
