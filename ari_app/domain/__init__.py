"""What pay per call means. Pure: no I/O, no clock, no asyncio, no SQLAlchemy."""
