"""Tables of facts: where they come from, and which of their rows are valid."""
