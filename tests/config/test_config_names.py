"""Names of bindings, which have to be unique."""

import re
from typing import Any

import pytest
from config_project import WORKFLOW, Project

UNIQUE = (
    "\nBindings must have unique names, so that they can all be referenced in the worker.\n"
    "Please change your bindings to have unique names."
)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"kv_namespaces": [{"binding": "K"}], "r2_buckets": [{"binding": "K"}], "vars": {"K": "x"}},
            "K assigned to KV Namespace, R2 Bucket, and Environment Variable bindings.",
        ),
        (
            {"workflows": [{**WORKFLOW, "binding": "K"}], "vars": {"K": "x"}},
            "K assigned to Workflow and Environment Variable bindings.",
        ),
        (
            {"kv_namespaces": [{"binding": "K"}, {"binding": "K"}]},
            "K assigned to multiple KV Namespace bindings.",
        ),
        (
            {"durable_objects": {"bindings": [{"name": "K", "class_name": "C"}]}, "ai": {"binding": "K"}},
            "K assigned to Durable Object and AI bindings.",
        ),
        (
            {"secrets": {"required": ["K"]}, "text_blobs": {"K": "file"}},
            "K assigned to Text Blob and Secret bindings.",
        ),
    ],
)
def test_two_bindings_of_one_name_are_an_error(project: Project, data: dict[str, Any], message: str) -> None:
    """Of whatever kinds."""
    [error] = project.errors(data)
    assert message + UNIQUE == error.message
    assert error.suggestion is not None
    assert re.search(r"The name is also used in \S+ \(wrangler\.\w+:\d+:\d+\)", error.suggestion)


def test_mail_and_rate_limits_may_share_a_name(project: Project) -> None:
    """The platform leaves them out of the check."""
    rate_limit = {"name": "K", "namespace_id": "1", "simple": {"limit": 2, "period": 10}}
    assert [] == project.errors({"vars": {"K": "x"}, "send_email": [{"name": "K"}], "ratelimits": [rate_limit]})
