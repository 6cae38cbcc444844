"""Functions of texts give in columns what they give in Python, over every code point alone and beside other letters."""

from __future__ import annotations

import polars as pl
import pytest

from policy_engine.backends.columnar.functions import CALLS
from policy_engine.language.functions import FUNCTIONS

CODE_POINTS = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]


@pytest.mark.parametrize("form", ["{0}", "a{0}Σ"])
def test_columns_know_the_same_letters(form: str) -> None:
    words = [form.format(character) for character in CODE_POINTS]
    given = pl.DataFrame({"word": words, "capitals": [word.upper() for word in words]})
    word, capitals = pl.col("word"), pl.col("capitals")
    for name in ("lower", "trim", "length"):
        plain = FUNCTIONS[name].plain
        assert plain is not None
        assert given.select(CALLS[name](word)).to_series().to_list() == [plain(each) for each in words]
    equal = given.select(CALLS["equals_ignoring_case"](word, capitals)).to_series().to_list()
    assert equal == [one.casefold() == one.upper().casefold() for one in words]
