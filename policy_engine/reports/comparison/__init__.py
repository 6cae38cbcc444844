"""The parts of a comparison: its sides, the pass over a table, the changes found in it and what made them, and their counts."""
