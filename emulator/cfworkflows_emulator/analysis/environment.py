"""The types of `env`, as Python source."""

from cfworkflows_emulator.analysis import kinds
from cfworkflows_emulator.analysis.annotations import Imports
from cfworkflows_emulator.analysis.program import Program
from cfworkflows_emulator.config import LoadedConfig

_HEAD = '"""The types of `env`, written by `cfwf types` from {config}. Run it again instead of editing this."""'
_PLAIN = (bool, int, float)


def env_types(program: Program, config: LoadedConfig) -> str:
    """The source of a module with a Protocol `Env`: stable, and clean under mypy --strict.

    A variable that a file such as `.dev.vars` sets is a secret: its value is not in the text.
    """
    imports = Imports()
    imports.add("typing", "Protocol")
    lines = [*_bindings(program, config, imports), *_variables(config, imports)]
    body = "\n".join(f"    {line}" for line in lines) or "    pass"
    doc = '    """What the configuration binds."""\n\n' if lines else '    """Nothing is bound."""\n'
    body = f"{doc}{body}" if lines else doc.rstrip("\n")
    # Annotations stay text, so that importing this module does not import the Worker's.
    head = [_HEAD.format(config=config.path.name), "", "from __future__ import annotations", ""]
    return "\n".join([*head, *imports.lines(), "", "", "class Env(Protocol):", body, ""])


def _bindings(program: Program, config: LoadedConfig, imports: Imports) -> list[str]:
    annotated: dict[str, tuple[str, str]] = {}
    for each in kinds.KINDS:
        for section in config.sections(each.kind):
            annotated[getattr(section, each.kind.name)] = each.annotated(section, program, config, imports)
    lines = []
    for binding in sorted(config.bindings, key=lambda each: each.name):
        if binding.name not in annotated:
            imports.add("typing", "Any")
            annotated[binding.name] = "Any", binding.kind + ("" if binding.supported else ", not supported yet")
        annotation, comment = annotated[binding.name]
        lines.append(f"{binding.name}: {annotation}{f'  # {comment}' if comment else ''}")
    return lines


def _variables(config: LoadedConfig, imports: Imports) -> list[str]:
    required = config.config.secrets.required if config.config.secrets is not None else []
    own = [name for name, variable in config.variables.items() if variable.origin in ("config", "file")]
    lines = []
    for name in sorted({*own, *required}):
        variable = config.variables.get(name)
        if variable is None or variable.hidden:
            lines.append(f"{name}: str")
        elif isinstance(variable.value, str):
            imports.add("typing", "Literal")
            lines.append(f"{name}: Literal[{_quoted(variable.value)}]")
        elif isinstance(variable.value, _PLAIN):
            lines.append(f"{name}: {type(variable.value).__name__}")
        else:
            imports.add("typing", "Any")
            lines.append(f"{name}: Any  # JSON")
    return [line for line in lines if line.partition(":")[0].isidentifier()]


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=True)
