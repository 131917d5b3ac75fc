"""Values checked against types: one module a sort of type. `checker.checker` gives the check of a type.

Standard library only, so that a payload is checked alike wherever a Worker runs. What only pydantic knows (its models,
constraints in `Annotated`) is left to it, and it is imported for that alone. The modules are imported when the first
value is checked, but for `misfit` and `sorts`.
"""
