"""The platform's codes and texts for instances that do not exist, or exist already: in batches, and in its APIs."""

NOT_FOUND = 10400
ALREADY_EXISTS = 10405
DUPLICATE_IN_BATCH = 10415

MESSAGES = {
    NOT_FOUND: "workflows.api.error.instance.not_found",
    ALREADY_EXISTS: "workflows.api.error.instance.already_exists",
    DUPLICATE_IN_BATCH: "workflows.api.error.instance.duplicate_in_batch",
}
