"""The demo's calls: what the parties do in each, the expected result, and the text that describes it."""
