"""The Python back end: a ruleset becomes functions of plain Python, specialised by its readings and parameters.

`writer` keeps lines and knows which names are surely set; `constants` folds what the readings and parameters settle;
`expressions` and `aggregates` write expressions, `reading` reads facts, `functions` is the table of calls; `decisions` writes rules and matrices;
`program` compiles.
"""

from policy_engine.backends.python.constants import stretch
from policy_engine.backends.python.program import Program, prepare

__all__ = ["Program", "prepare", "stretch"]
