"""Other engines that Python can call, each made ready for a decision once and then asked with digested facts.

What each gives is its own answer, compared with ours before anything is timed: the status, the outcome and the rule, or, of
Cedar, only whether it permits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from importlib.metadata import version
from types import MappingProxyType

import cedarpy
import cel
import rule_engine
import simpleeval
import zen

from benchmarks.digests import RULELISTS, Digest, Rulelist, Short

Ask = Callable[[Digest], object]
Prepare = Callable[[str, Rulelist], Ask | None]
"""Makes an engine ready for a decision; None where it cannot express it."""


def zen_table(name: str, rulelist: Rulelist) -> Ask | None:
    """A decision table, the product's own form: the first row that holds gives its name."""
    rows = [{"_id": f"r{i}", "if": test, "then": f'"{then}"'} for i, (test, then) in enumerate(rulelist.rules)]
    table = {
        "hitPolicy": "first",
        "inputs": [{"id": "if", "name": "if", "field": ""}],
        "outputs": [{"id": "then", "name": "then", "field": "rule"}],
        "rules": rows,
    }
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in"},
        {"id": "table", "type": "decisionTableNode", "name": "table", "content": table},
        {"id": "out", "type": "outputNode", "name": "out"},
    ]
    edges = [
        {"id": "a", "sourceId": "in", "targetId": "table", "type": "edge"},
        {"id": "b", "sourceId": "table", "targetId": "out", "type": "edge"},
    ]
    decision = zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))
    answer = rulelist.answer
    return lambda digest: answer(digest, decision.evaluate(digest)["result"]["rule"])


def zen_expression(name: str, rulelist: Rulelist) -> Ask | None:
    """One compiled expression, which is the least that zen-engine can be asked to do."""
    evaluate, answer = zen.compile_expression(_chain(rulelist)).evaluate, rulelist.answer
    return lambda digest: answer(digest, evaluate(digest))


def common_expression_language(name: str, rulelist: Rulelist) -> Ask | None:
    """One compiled expression of conditions."""
    text = _chain(rulelist).replace(" and ", " && ").replace(" or ", " || ")
    execute, answer = cel.compile(text).execute, rulelist.answer
    return lambda digest: answer(digest, execute(digest))


def _chain(rulelist: Rulelist) -> str:
    """The rules as one conditional expression."""
    *rules, (_, last) = rulelist.rules
    return "".join(f'({test}) ? "{name}" : ' for test, name in rules) + f'"{last}"'


def rules_of_rule_engine(name: str, rulelist: Rulelist) -> Ask | None:
    """A compiled rule for each condition; the first that matches."""
    rules = [(rule_engine.Rule(test).matches, then) for test, then in rulelist.rules]
    return _first_match(rules, rulelist)


def bare_simpleeval(name: str, rulelist: Rulelist) -> Ask | None:
    """A parsed expression for each condition; the first that is true."""
    evaluator = simpleeval.EvalWithCompoundTypes()
    words = {"null": "None", "true": "True", "false": "False"}
    parsed = []
    for test, then in rulelist.rules:
        text = re.sub(r"\b(null|true|false)\b", lambda found: words[found[0]], test)
        parsed.append((text, evaluator.parse(text), then))
    answer, evaluate = rulelist.answer, evaluator.eval

    def ask(digest: Digest) -> Short:
        evaluator.names = digest
        return answer(digest, next(then for text, tree, then in parsed if evaluate(text, previously_parsed=tree)))

    return ask


def _first_match(rules: list[tuple[Callable[[Digest], bool], str]], rulelist: Rulelist) -> Ask:
    answer = rulelist.answer
    return lambda digest: answer(digest, next(then for matches, then in rules if matches(digest)))


PERMITS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "new_account_bonus": (
            "context.since_deployment <= 60",
            "context has since_conversion && context.since_conversion >= 0 && context.since_conversion <= 60",
            "context has since_conversion && context.since_conversion < 0",
        ),
        "suppression_removal": (
            'context.actor == "agency_administrator" && context.access && '
            '["Healthy", "At Risk"].contains(context.status) && context has days && context.days >= 60',
        ),
        "set_limit": ('context.role == "administrator" && !context.on_platform',),
    }
)
"""What Cedar permits; it has no other outcomes than to permit or not, and no order of rules."""


def cedar(name: str, rulelist: Rulelist) -> Ask | None:
    """Policies that permit, parsed once; the policies that did are its reason."""
    conditions = _permitted_cells() if name == "permission" else PERMITS.get(name)
    if conditions is None:
        return None
    text = "\n".join(f"permit(principal, action, resource) when {{ {condition} }};" for condition in conditions)
    policies, entities = cedarpy.PolicySet.from_str(text), cedarpy.Entities.from_json_str("[]")
    request = {"principal": 'User::"u"', "action": 'Action::"a"', "resource": 'Thing::"t"'}
    authorized = cedarpy.is_authorized
    return lambda digest: authorized({**request, "context": digest}, policies, entities).allowed


def _permitted_cells() -> tuple[str, ...]:
    """The rules of the matrix that allow, in Cedar's words."""
    found = []
    for test, then in RULELISTS["permission"].rules:
        if then == "allow":
            words = re.sub(r"activity in (\[.*?\])", r"\1.contains(context.activity)", test).replace(" and ", " && ")
            words = re.sub(r"\b(role|acting_in|partner_type) ==", r"context.\1 ==", words)
            found.append(words.replace("single_bill ==", "context.single_bill =="))
    partnership = '["partner_account", "client_account"].contains(context.acting_in) && context.single_bill'
    return tuple(condition.replace("context.single_bill", partnership) for condition in found)


def digest_for(peer: str, digest: Digest) -> Digest:
    """The facts for an engine; Cedar has no null and is not told what is absent."""
    return {name: value for name, value in digest.items() if value is not None} if peer == "cedarpy" else digest


def expected(peer: str, answer: Short) -> object:
    """What an engine must answer."""
    return answer[1] in ("allow", "eligible") if peer == "cedarpy" else answer


PEERS: Mapping[str, Prepare] = MappingProxyType(
    {
        "zen-engine, decision table": zen_table,
        "zen-engine, one expression": zen_expression,
        "common-expression-language": common_expression_language,
        "cedarpy": cedar,
        "rule-engine": rules_of_rule_engine,
        "simpleeval": bare_simpleeval,
    }
)
NAMES_THE_RULE = frozenset(PEERS) - {"cedarpy"}
CANNOT: Mapping[str, str] = MappingProxyType(
    {
        "zen-engine, decision table": "no civil dates in time zones, no missing facts: undetermined is a row of its own",
        "zen-engine, one expression": "the same, and the expression by itself is no decision with a trace",
        "common-expression-language": "no civil dates and no rules: the rule's name is what the expression gives",
        "cedarpy": "permits or does not, so no charge_status; no rule for a refusal; not asked where facts are missing",
        "rule-engine": "single conditions; the order of rules is a loop in Python; no missing facts",
        "simpleeval": "single conditions; the order of rules is a loop in Python; no missing facts, no types",
    }
)


def versions() -> dict[str, str]:
    """The versions measured."""
    packages = ("zen-engine", "common-expression-language", "cedarpy", "rule-engine", "simpleeval", "jsonschema-rs")
    return {package: version(package) for package in packages}
