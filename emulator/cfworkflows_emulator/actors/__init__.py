"""Durable actors: one object a key in memory, read when it is needed and evicted when it only waits; their drivers.

May import storage and clock, and knows neither what an actor keeps nor how: the owner of actors says how to read them.
"""

from cfworkflows_emulator.actors.actor import Actor
from cfworkflows_emulator.actors.alarms import AHEAD_MS, Alarms
from cfworkflows_emulator.actors.eviction import Eviction
from cfworkflows_emulator.actors.lifeline import Lifeline
from cfworkflows_emulator.actors.operation import CALLED_IN, Latch, Operation, called_in
from cfworkflows_emulator.actors.residents import Residents
from cfworkflows_emulator.actors.schedules import Schedules

__all__ = [
    "AHEAD_MS",
    "CALLED_IN",
    "Actor",
    "Alarms",
    "Eviction",
    "Latch",
    "Lifeline",
    "Operation",
    "Residents",
    "Schedules",
    "called_in",
]
