"""`cfwf state`: the whole state of a project, saved, loaded, compared and branched."""

from cfworkflows_emulator.cli.state.group import command

__all__ = ["command"]
