"""Questions about rules rather than accounts."""
