"""The command line, `cfwf`. Each command imports what it needs when it runs, so that `cfwf --help` is quick.

May import everything else.
"""
