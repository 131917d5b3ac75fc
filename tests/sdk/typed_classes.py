"""Classes of every kind that a payload or a result may have."""

from typing import TypeVar

from pydantic import BaseModel, Field

E = TypeVar("E")
P = TypeVar("P")


class Env:
    """Stands for the bindings: a class that is no data."""


class Line(BaseModel):
    """A model with a constraint."""

    sku: str
    quantity: int = Field(ge=1)


class Order(BaseModel):
    """A model of models."""

    id: str
    lines: list[Line] = []
