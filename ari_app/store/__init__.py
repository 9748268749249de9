"""SQLAlchemy tables, and the queries that other rooms may ask."""
