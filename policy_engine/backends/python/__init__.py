"""The Python back end: compiles a ruleset, specialized by readings and a stretch of days, to functions of plain Python.

`program` compiles; `decisions` writes rules and matrices, `expressions` and `aggregates` expressions, `reading` what reads
facts, `answers` what an answer holds; `writer` keeps the lines. `missing_facts` and `unknown_expressions` write the function that
says what an undetermined decision misses, `recorder` the one whose values a trace is made from. `runtime` is what they call.
"""

from policy_engine.backends.python.program import Program, back_end, prepare
from policy_engine.backends.python.recorder import Recording
from policy_engine.backends.python.runtime import NotPlain
from policy_engine.backends.python.tracebacks import excerpt
from policy_engine.language.specialize import stretch

__all__ = ["NotPlain", "Program", "Recording", "back_end", "excerpt", "prepare", "stretch"]
