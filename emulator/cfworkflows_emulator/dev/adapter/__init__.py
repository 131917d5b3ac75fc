"""debugpy's adapter, as `cfwf dev --debug` has it: a program of its own, which debugpy starts by this folder's path."""
