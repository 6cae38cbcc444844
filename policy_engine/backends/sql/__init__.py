"""A ruleset as one SQL query for the database where the accounts are: DuckDB, PostgreSQL or Spark."""
