"""The decision log: what was answered, by which text, and the proof that no record was changed since."""
