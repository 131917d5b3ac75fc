"""Values checked against types: one module a sort of type.

Standard library only, so that a payload is checked alike wherever a Worker runs. What only pydantic knows (its models,
constraints in `Annotated`) is left to it, and it is imported for that alone.
"""

from cfworkflows.checks.checker import UNIONS, checker, is_for_pydantic
from cfworkflows.checks.containers import CONTAINERS
from cfworkflows.checks.misfit import Check, Misfit, Problem, Tally, Uncheckable
from cfworkflows.checks.models import problems_of
from cfworkflows.checks.records import is_typed_dict

__all__ = [
    "CONTAINERS",
    "UNIONS",
    "Check",
    "Misfit",
    "Problem",
    "Tally",
    "Uncheckable",
    "checker",
    "is_for_pydantic",
    "is_typed_dict",
    "problems_of",
]
