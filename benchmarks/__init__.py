"""How fast the server is, and what it takes: `python -m benchmarks`, in turns with `wrangler dev` if it is asked for.

One file a measure in `measures/`, each a function of a server's side and of how much is to be done. What comes out is a
table of ratios within one run: nothing here is a test, and nothing is compared with another day.
"""
