"""What a configuration or a Worker asks for that this version does not do, named at the start."""

from collections.abc import Iterator, Mapping, Sequence

from cfworkflows_emulator.config import LoadedConfig, absent
from cfworkflows_emulator.handlers import EVENTS, FETCH
from cfworkflows_emulator.runtime import kinds
from cfworkflows_emulator.runtime.exports import Exports
from cfworkflows_emulator.runtime.signatures import class_handler, signature_problem

# From this compatibility date on, the platform calls no module-level handlers (python_no_global_handlers).
NO_GLOBAL_HANDLERS = "2025-08-14"


def session_notices(configs: Sequence[LoadedConfig], exports: Sequence[Exports]) -> list[str]:
    """The notices of all Workers of a session, each with its Worker where there are several."""
    names = [loaded.config.name for loaded in configs]
    return _whose(
        {
            loaded.config.name: notices(loaded, exported) + [text for _, text in absent(loaded, names)]
            for loaded, exported in zip(configs, exports, strict=True)
        }
    )


def session_faults(configs: Sequence[LoadedConfig], exports: Sequence[Exports]) -> list[str]:
    """The handlers of all Workers of a session that can never be called, with their places."""
    return _whose(
        {loaded.config.name: list(_never_callable(exported)) for loaded, exported in zip(configs, exports, strict=True)}
    )


def _whose(texts: Mapping[str, list[str]]) -> list[str]:
    """The texts by Workers, each with its Worker where there are several."""
    is_alone = len(texts) == 1
    return [text if is_alone else f"Worker {name}: {text}" for name, found in texts.items() for text in found]


def notices(loaded: LoadedConfig, exports: Exports) -> list[str]:
    """One text for each thing that is accepted and has no effect, or an effect that Cloudflare would not have."""
    found: list[str] = []
    for kind in kinds.KINDS:
        found += kind.notices(loaded)
    for name in exports.global_handlers:
        if name not in ("on_fetch", "on_scheduled"):
            found.append(f"{name} is never called: that kind of event is not supported yet.")
    is_past = (loaded.config.compatibility_date or "") >= NO_GLOBAL_HANDLERS
    for name, does in (("on_fetch", "answers requests here"), ("on_scheduled", "is called here")):
        if name in exports.global_handlers and is_past:
            found.append(
                f"{name} {does}. Cloudflare calls no module-level handlers with a compatibility_date from "
                f"{NO_GLOBAL_HANDLERS} on: make it the method {name[3:]} of class Default(WorkerEntrypoint)."
            )
    if loaded.config.triggers.crons and not exports.handles("scheduled"):
        found.append(
            f"triggers.crons ({loaded.place(('triggers', 'crons'))}) fires nothing: the Worker has no scheduled() "
            "handler. Write `async def scheduled(self, controller, env, ctx)` in class Default(WorkerEntrypoint)."
        )
    for event in ("queue", "email", "tail", "trace"):
        if callable(getattr(exports.default, event, None)):
            found.append(f"Default.{event} is never called: that kind of event is not supported yet.")
    return found


def _never_callable(exports: Exports) -> Iterator[str]:
    """The handlers whose signatures the platform's arguments do not fit."""
    for event in EVENTS.values():
        name = f"on_{event.name}"
        found = [(name, exports.global_handlers.get(name))]
        classes = [exports.default, *(exports.named.values() if event is FETCH else ())]
        found += [(event.name, class_handler(cls, event.name)) for cls in classes if cls is not None]
        problems = (signature_problem(event, name, handler) for name, handler in found if handler is not None)
        yield from filter(None, dict.fromkeys(problems))  # a class may be exported by several names
