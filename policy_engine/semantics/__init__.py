"""What a ruleset means: valid facts, the reference evaluator, deciding, tracing. Slow, complete, and the oracle."""
