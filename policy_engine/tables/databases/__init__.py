"""Tables of facts in databases: where they are, and how their rows are fetched."""
