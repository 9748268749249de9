"""Tracking numbers: the stock of them, and publishers' applications to run one."""
