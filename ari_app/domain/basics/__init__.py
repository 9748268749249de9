"""The small words: money, moments, periods, hours, states, and the types of a field."""
