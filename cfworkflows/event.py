"""What `run()` receives: the event that created the instance, and the events it waits for."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, cast

from cfworkflows.caller import warn
from cfworkflows.errors import PortabilityWarning
from cfworkflows.values import ClosedJsDict, JsDict

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    T = TypeVar("T", default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T")


class CronSchedule(ClosedJsDict):
    """The schedule that created an instance: `cron`, and `scheduledTime` in ms since the epoch."""

    cron: str
    scheduledTime: int  # noqa: N815 - the platform's key

    @property
    def scheduled_time(self) -> int:
        return self.scheduledTime


class WorkflowEvent(ClosedJsDict, Generic[T]):
    """The event of an instance: `payload`, `timestamp` (aware, UTC), `instance_id`, `workflow_name`, `schedule`.

    It reads as an object (`event.payload`) and as the dict that Python Workers receive (`event["payload"]`,
    `event["instanceId"]`). Changes made to it are not stored.
    """

    payload: T
    timestamp: datetime
    instanceId: str  # noqa: N815 - the platform's key
    workflowName: str  # noqa: N815 - the platform's key

    @property
    def instance_id(self) -> str:
        return self.instanceId

    @property
    def workflow_name(self) -> str:
        return self.workflowName

    @property
    def schedule(self) -> CronSchedule | None:
        """Set only on an instance that a cron schedule created."""
        return self.get("schedule")


class WorkflowStepEvent(ClosedJsDict, Generic[T]):
    """What `wait_for_event` returns: `payload`, `type` and `timestamp` (aware, UTC)."""

    payload: T
    type: str
    timestamp: datetime

    def _field_of_payload(self, name: str) -> Any:
        try:
            return JsDict.__getattr__(cast(JsDict, self), name)
        except AttributeError:
            payload = self.get("payload")
            if isinstance(payload, dict):
                known, value = name in payload, payload.get(name)
            else:
                known, value = not name.startswith("_") and hasattr(payload, name), getattr(payload, name, None)
            if not known:
                raise
        warn(
            f"event.{name} is a field of the payload: write event.payload.{name} "
            f"(approval.payload.{name}, where the event is called approval). Cloudflare has no such shorthand.",
            PortabilityWarning,
        )
        return value

    if not TYPE_CHECKING:  # a type checker refuses what Cloudflare does not have
        __getattr__ = _field_of_payload
