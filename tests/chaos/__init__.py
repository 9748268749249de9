"""Chaos and soak: faults at random instants under load, and what must be so afterwards.

`stage` is everything that calls go through, `load` the calls, `faults` the table of what goes wrong, `checks`
what must hold, `report` the figures.
"""
