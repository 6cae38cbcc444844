"""A ruleset as a model of dbt: what its templates come to runs, and nothing of an author becomes a template."""

from __future__ import annotations

from pathlib import Path

import duckdb
import jinja2
import pytest
import yaml

from tests.conftest import ROOT, lay_out
from tests.support.commands import policy

SCHEMA = """
{"type": "object", "additionalProperties": false, "properties": {
  "account": {"type": "string", "x-key": true, "description": "The {{ name }} of it"},
  "number": {"type": "integer", "minimum": 0, "maximum": 9}}}
"""
RULES = """
ruleset: shop
title: "Fees {{ 1 / 0 }} of dbt_relation"
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: order
sources: {text: {title: The text}}
decisions:
  it:
    question: "Is it {% large %}?"
    source: text
    outcomes: [large, small]
    rules:
      - {id: large, when: number > 5, then: large, because: It is large.}
    otherwise: {then: small, because: It is small.}
"""


def rendered(text: str) -> str:
    """A model as dbt makes SQL of it."""
    template = jinja2.Environment(autoescape=False).from_string(text)
    return template.render(source=lambda *names: '"' + '"."'.join(names) + '"', ref=lambda name: f'"{name}"')


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a ruleset whose texts look like templates."""
    lay_out({"schemas/order.schema.json": SCHEMA, "rules/shop.yaml": RULES}, tmp_path)
    return tmp_path


def test_a_model_runs_and_its_properties_are_yaml(shop: Path) -> None:
    ran = policy(
        "sql", "shop", "--dialect", "duckdb", "--as-of", "2025-01-01", "--as", "dbt", "--out", "m", folder=shop
    )
    assert ran.out.split() == ["m/shop_decisions.sql", "m/shop_decisions.yml"]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE \"order\" AS SELECT 'k' AS account, 7::BIGINT AS number")
        text = rendered((shop / "m/shop_decisions.sql").read_text("utf-8"))
        assert connection.execute(text).fetchall() == [("k", "decided", "large", "large", "large", None)]
    told = yaml.safe_load((shop / "m/shop_decisions.yml").read_text("utf-8"))
    [model] = told["models"]
    columns = {column["name"]: column for column in model["columns"]}
    assert columns["account"]["data_tests"] == ["not_null", "unique"]
    assert columns["it.outcome"]["data_tests"] == [{"accepted_values": {"values": ["large", "small"]}}]
    assert rendered(str(told)) == str(told)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "spark"])
def test_a_source_stands_wherever_the_query_reads_the_table(dialect: str, tmp_path: Path) -> None:
    options = ("--as-of", "2025-09-01", "--as", "dbt", "--from", "crm.moves", "--out", str(tmp_path))
    ran = policy("sql", "partner_earnings", "--dialect", dialect, *options, folder=ROOT)
    assert ran.code == 0, ran.err
    text = (tmp_path / "partner_earnings_decisions.sql").read_text("utf-8")
    assert "reads of crm.moves" in text
    assert "dbt_relation" not in text
    assert '"crm"."moves"' in rendered(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as", "dbt"], "`--as dbt` writes a model and its properties to a folder: it goes with `--out FOLDER`"),
        (["--out", "m"], "`--as dbt` writes a model and its properties to a folder: it goes with `--out FOLDER`"),
        (["--as", "dbt", "--out", "m", "--view", "a b"], "--view: `a b` is no name of a model"),
        (["--as", "dbt", "--out", "m", "--from", "a.b.c"], "--from: dbt knows `a.b.c` by no name; write a model"),
    ],
)  # fmt: skip
def test_what_is_asked_for_wrongly_is_said(shop: Path, arguments: list[str], message: str) -> None:
    ran = policy("sql", "shop", "--dialect", "duckdb", "--as-of", "2025-01-01", *arguments, folder=shop)
    assert (ran.code, ran.out) == (2, "")
    assert message in " ".join(ran.err.split())
    assert not (shop / "m").exists()


def test_the_end_of_what_is_no_template_is_refused(shop: Path) -> None:
    lay_out({"rules/shop.yaml": RULES.replace("{{ 1 / 0 }}", "{% endraw %}")}, shop)
    ran = policy(
        "sql", "shop", "--dialect", "duckdb", "--as-of", "2025-01-01", "--as", "dbt", "--out", "m", folder=shop
    )
    assert (ran.code, ran.out) == (2, "")
    assert "a text of the ruleset has the sign `{% endraw %}`" in ran.err
