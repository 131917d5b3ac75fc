"""One execution of an instance: the code of `run()`, its steps, sleeps and waits, and the rollback that undoes them.

May import the journal, and the modules of the engine that know no instance.
"""
