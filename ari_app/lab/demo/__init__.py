"""The demo's calls: who does what in each, what is expected of it, and how it is told."""
