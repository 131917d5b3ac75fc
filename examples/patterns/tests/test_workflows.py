"""The seven patterns, each over its real steps; the time passes by itself."""

import pytest

from cfworkflows import NonRetryableError, Response, WorkflowTimeoutError


async def steps(instance, type="step_completed"):
    return [entry.step for entry in await instance.history() if entry.type == type]


async def test_saga_confirms_what_is_paid(env):
    """Reserved, charged, confirmed: each once."""
    instance = await env.SAGA.create(params={"items": ["book"], "paymentMethod": "visa"})
    await instance.result()
    assert await steps(instance) == ["reserve inventory", "charge payment", "confirm order"]


async def test_saga_releases_what_cannot_be_paid(env):
    """A declined card fails the instance with its own error, after the reservation is undone."""
    instance = await env.SAGA.create(params={"items": ["book"], "paymentMethod": "declined"})
    with pytest.raises(NonRetryableError, match="card declined"):
        await instance.result()
    assert await steps(instance) == ["reserve inventory", "release inventory"]


@pytest.mark.parametrize(("approved", "last"), [(True, "execute action"), (False, "notify rejection")])
async def test_manager_decides_on_the_sixth_day(env, clock, approved, last):
    """The instance waits, and the answer decides which step runs."""
    instance = await env.APPROVAL.create(params={"approverEmail": "a@b.c"})
    await clock.advance("6 days")
    await instance.send_event(type="manager_approval", payload={"approved": approved})
    await instance.result()
    assert (await steps(instance))[-1] == last


async def test_nobody_approves(env, clock):
    """A week passes in no time."""
    started = clock.datetime
    instance = await env.APPROVAL.create(params={"approverEmail": "a@b.c"})
    with pytest.raises(WorkflowTimeoutError):
        await instance.result()
    assert (clock.datetime - started).days == 7


async def test_reminders_come_once_a_day(env):
    """Three of them, a day apart."""
    instance = await env.REMINDERS.create(params={"userId": "u1"})
    await instance.result()
    sent = [entry.time for entry in await instance.history() if entry.type == "step_completed"]
    assert [(each - sent[0]).days for each in sent] == [0, 1, 2]


async def test_backoff_doubles_its_delays(worker, env):
    """Three failures are followed by waits of 1, 2 and 4 seconds."""
    created = await worker.fetch("/backoff", method="POST", json={"failures": 3})
    instance = await env.BACKOFF.get((await created.json())["id"])
    assert await instance.result() == {"answer": "42"}
    delays = [entry.retry_delay_ms for entry in await instance.history() if entry.type == "attempt_errored"]
    assert delays == [1000, 2000, 4000]


async def test_fan_out_counts_its_results(env):
    """Each item is a step of its own."""
    instance = await env.FAN_OUT.create(params={"items": [{"id": 1}, {"id": 2}, {"id": 4}]})
    assert await instance.result() == {"total": 3, "success": 2}


async def test_webhook_calls_back(worker, env, monkeypatch):
    """The outside world is replaced where the Worker's module looks for it; the callback comes over HTTP."""

    async def start_job(url, options=None):
        return Response.json({"jobId": "job-9"})

    monkeypatch.setattr("webhook.fetch", start_job)
    instance = await env.MY_WORKFLOW.create(params={"jobsUrl": "https://jobs.example.com"})
    await worker.fetch("/webhook/callback", method="POST", json={"instanceId": instance.id, "status": "done"})
    assert await instance.result() == {"jobId": "job-9", "status": "done"}


async def test_fallback_is_taken_after_five_minutes(env):
    """Without an answer the cached value is the output."""
    instance = await env.FALLBACK.create(params={"key": "k1"})
    assert await instance.result() == {"key": "k1", "source": "cache"}
