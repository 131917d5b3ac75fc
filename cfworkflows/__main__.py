"""`python -m cfworkflows`: the command line, as `cfwf`."""

from cfworkflows_emulator.cli.main import main

if __name__ == "__main__":
    main()
