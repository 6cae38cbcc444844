"""The Python back end: a ruleset becomes functions of plain Python, specialised by its readings and parameters.

`writer` keeps lines and knows which names are surely set; `constants` folds what readings and parameters settle; `reading`
reads facts; `expressions` and `aggregates` write expressions, and `functions` is the table of calls; `decisions` writes rules
and matrices; `program` compiles. What is asked for later has functions of its own: `missing` and `gaps` write what an
undetermined decision misses, `wording` what sentences name, and `recorder`, `steps` and `tracing` the form that records.
"""

from policy_engine.backends.python.program import Program, back_end, prepare
from policy_engine.backends.python.recorder import Recording
from policy_engine.backends.python.runtime import NotPlain
from policy_engine.backends.python.sources import excerpt
from policy_engine.backends.specialize import stretch

__all__ = ["NotPlain", "Program", "Recording", "back_end", "excerpt", "prepare", "stretch"]
