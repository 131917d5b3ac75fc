from dataclasses import dataclass

from services import Item, process_item

from cfworkflows import WorkflowEntrypoint, WorkflowEvent, WorkflowStep


@dataclass
class Batch:
    items: list[Item]


class FanOut(WorkflowEntrypoint[object, Batch]):
    async def run(self, event: WorkflowEvent[Batch], step: WorkflowStep):
        items = event.payload.items

        # Fan-out: process each item
        results = []
        for item in items:
            result = await step.do(f"process {item.id}", lambda item=item: process_item(item))
            results.append(result)

        # Fan-in: aggregate
        summary = await step.do("aggregate results", lambda: {
            "total": len(results), "success": len([r for r in results if r.ok]),
        })  # fmt: skip

        return summary
