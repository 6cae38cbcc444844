"""What the agreement tests try: each shape that was once wrong is generated often, so that none is lost without a word."""

from __future__ import annotations

from collections import Counter

from tests.support.choosing import SeededChoices
from tests.support.generated_questions import question_by
from tests.support.shapes import SHAPES, shapes_of

RULESETS = 800
LEAST = 10
"""So many of the rulesets have each shape, and most shapes are far more frequent."""


def test_e1_generated_questions_have_every_shape() -> None:
    made = [question_by(SeededChoices(seed), 3) for seed in range(RULESETS)]
    sound = [question for question in made if question is not None]
    assert len(sound) >= RULESETS * 0.95
    counts = Counter(shape for question in sound for shape in shapes_of(question))
    assert {shape: counts[shape] for shape in SHAPES if counts[shape] < LEAST} == {}
