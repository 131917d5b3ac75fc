"""The objects that `run()` is given, and the module-level `env`."""

import copy
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from cfworkflows import CronSchedule, PortabilityWarning, WorkflowEvent, WorkflowStepEvent, env, wait_until
from cfworkflows.entrypoint import ExecutionContext
from cfworkflows.environment import current_context, current_env

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Approval:
    approved: bool


def test_an_event_reads_as_object_and_as_dict():
    """snake_case and the platform's names."""
    event = WorkflowEvent(payload={"n": 1}, timestamp=NOW, instanceId="i", workflowName="w")
    assert ("i", "w", NOW) == (event.instance_id, event.workflow_name, event.timestamp)
    assert ("i", "w", {"n": 1}) == (event.instanceId, event["workflowName"], event["payload"])
    assert event.schedule is None
    event["schedule"] = CronSchedule(cron="* * * * *", scheduledTime=5)
    assert (5, "* * * * *") == (event.schedule.scheduled_time, event.schedule.cron)


@pytest.mark.parametrize("payload", [{"approved": True}, Approval(True)])
def test_a_field_of_the_payload_read_off_the_event_warns(payload):
    """It works here, and not on the platform: the warning says what to write."""
    event = WorkflowStepEvent(payload=payload, type="go", timestamp=NOW)
    with pytest.warns(PortabilityWarning, match=r"write event\.payload\.approved"):
        assert event.approved


@pytest.mark.parametrize("payload", [{"approved": True}, Approval(True), None, 5])
def test_a_name_that_is_nowhere_is_an_attribute_error(payload):
    """Also for what Python itself asks objects for."""
    event = WorkflowStepEvent(payload=payload, type="go", timestamp=NOW)
    with pytest.raises(AttributeError, match="rejected"):
        _ = event.rejected
    assert event == copy.deepcopy(event)


def test_env_and_wait_until_belong_to_the_running_handler():
    """Outside of one they say so."""
    with pytest.raises(AttributeError, match=r"env\.X: no Worker is running"):
        _ = env.X
    with pytest.raises(RuntimeError, match="no handler is running"):
        wait_until(None)
    assert "no Worker is running" in repr(env)
    kept = []
    tokens = current_env.set(Approval(True)), current_context.set(ExecutionContext(kept.append))
    try:
        wait_until("later")
        assert env.approved
        assert "approved" in dir(env)
        assert "Approval(approved=True)" == repr(env)
    finally:
        current_env.reset(tokens[0])
        current_context.reset(tokens[1])
    assert ["later"] == kept
