"""`make bench`: the same calls through Asterisk's own Dial() and through Callrace, side by side.

A measurement, never a test: nothing here passes or fails by the clock. Results go to RESULTS.md.
"""
