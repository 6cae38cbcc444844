"""What a ruleset means: the reference evaluator, hit policies, decisions and their traces. Slow, complete, and the oracle."""
