"""Where the data of bindings is: one module or folder for each kind, over files of its own or in memory.

A store knows neither the binding over it nor another store: it answers the Protocol that the binding declares.
"""
