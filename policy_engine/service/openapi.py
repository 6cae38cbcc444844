"""The service described in OpenAPI 3.1, from the rulesets that are loaded: each decision with its own facts and answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from policy_engine.analysis.examples import examples_of
from policy_engine.language.rulesets import DecisionLogic, Ruleset
from policy_engine.reports.explanations import Reader
from policy_engine.service.authzen.openapi import TAG, authzen_paths
from policy_engine.service.fact_schemas import PLACE, Components, answered, or_null
from policy_engine.service.problems import CONTENT_TYPE, KINDS
from policy_engine.service.requests import Detail
from policy_engine.version import VERSION

if TYPE_CHECKING:
    from policy_engine.service.authzen.tenants import Tenants

DESCRIPTION = """Decisions by rules, each with its reason, its sources and the digest of the text that decided.

An answer whose `status` is not `decided` has no outcome: facts are missing, or the rules leave a gap."""
ALWAYS = ("decision", "status", "outcome", "as_of", "ruleset")
"""What every answer has, whatever is asked to be told."""
Json = dict[str, Any]


def openapi(rulebook: Sequence[Sequence[Ruleset]], tenants: Tenants | None = None) -> Json:
    """The document for rulesets, each with its versions, the oldest first, and for the tenants of AuthZEN."""
    own = {"Answer": _answer(), "Section": _section(), "Problem": _problem()}
    components = Components({**own, "Rulesets": _rulesets(), "Readiness": _readiness()})
    authzen = authzen_paths(tenants) if tenants is not None else {}
    paths = {address: item for versions in rulebook for address, item in _paths_of(versions, components)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "policy_engine", "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"caller": []}, {}],
        "tags": [
            *map(_tag, rulebook),
            {"name": "service", "description": "The service itself"},
            *([TAG] if authzen else []),
        ],
        "paths": {**paths, **OWN_PATHS, **authzen},
        "components": {
            "schemas": components.schemas,
            "responses": {str(status): _refused(status) for status in STATUSES},
            "securitySchemes": {
                "caller": {"type": "http", "scheme": "bearer", "description": "A key, or a token (JWT)."}
            },
        },
    }


def _tag(versions: Sequence[Ruleset]) -> Json:
    return {"name": versions[-1].id, "description": versions[-1].title}


def _paths_of(versions: Sequence[Ruleset], components: Components) -> Iterator[tuple[str, Json]]:
    """The addresses of a ruleset and of each of its decisions, those of earlier versions included."""
    name, examples = versions[-1].id, _examples(versions)
    logics: dict[str, list[DecisionLogic]] = {}
    for logic in (logic for ruleset in versions for logic in ruleset.decisions):
        logics.setdefault(logic.name, []).append(logic)
    asked = components.named(f"Question.{name}", _question(versions, components))
    one = {
        decision: components.named(f"Answer.{name}.{decision}", _of_decision(name, all_))
        for decision, all_ in logics.items()
    }
    every = {"type": "object", "properties": one, "minProperties": 1, "additionalProperties": False}
    title = f"All decisions of {name}"
    yield f"/v1/decisions/{name}", _post(name, name, title, asked, every, next(iter(examples.values()), None))
    for decision, all_ in logics.items():
        operation = _post(name, f"{name}.{decision}", all_[-1].question, asked, one[decision], examples.get(decision))
        yield f"/v1/decisions/{name}/{decision}", operation


def _examples(versions: Sequence[Ruleset]) -> dict[str, Json]:
    """Questions about each decision that are answered."""
    found = {decision: asked for ruleset in versions for decision, asked in examples_of(ruleset).items()}
    plain = json.loads(json.dumps({name: dict(asked.facts) for name, asked in found.items()}, default=float))
    return {name: {"as_of": asked.as_of.isoformat(), "facts": plain[name]} for name, asked in found.items()}


def _post(tag: str, operation: str, summary: str, asked: Json, told: Json, example: Json | None) -> Json:
    body = {"schema": asked} if example is None else {"schema": asked, "example": example}
    return {
        "post": {
            "tags": [tag],
            "operationId": operation,
            "summary": summary,
            "description": f"Asks `{operation}`. All that its rules say stands at `/v1/rulesets/{tag}`.",
            "requestBody": {"required": True, "content": {"application/json": body}},
            "responses": {"200": _content("The answer", "application/json", told), **_problems(*ON_QUESTIONS)},
        }
    }


def _question(versions: Sequence[Ruleset], components: Components) -> Json:
    """The schema of a question about any version of a ruleset."""
    facts = list(
        {reference["$ref"]: reference for reference in map(components.facts, (v.facts for v in versions))}.values()
    )
    readings = {r.name: [c.name for c in r.choices] for v in versions for r in v.readings if not r.fixed}
    switches = {name: {"type": "string", "enum": choices} for name, choices in readings.items()}
    members = {
        "facts": facts[0] if len(facts) == 1 else {"anyOf": facts},
        "as_of": {"type": "string", "format": "date", "description": "The day of the question; today if left out."},
        "readings": {"type": "object", "properties": switches, "additionalProperties": False},
        "explain": {"type": "string", "enum": list(Detail), "default": Detail.REASON},
        "for": {"type": "string", "enum": list(Reader), "description": "The reader of the explanation."},
        "account": {"type": "string", "description": "Whom the question is about, for the decision log."},
    }
    optional = {name: member if name == "facts" else or_null(member) for name, member in members.items()}
    return {"type": "object", "properties": optional, "required": ["facts"], "additionalProperties": False}


def _of_decision(ruleset: str, versions: Sequence[DecisionLogic]) -> Json:
    """The schema of the answer to a decision, whichever of its versions decides."""
    outcomes = list(dict.fromkeys(outcome for logic in versions for outcome in logic.outcomes))
    values: dict[str, list[Json]] = {}
    for name, kind in (each for logic in versions for each in logic.answer_types):
        if answered(kind) not in values.setdefault(name, []):
            values[name].append(answered(kind))
    members = {
        "decision": {"const": f"{ruleset}.{versions[-1].name}"},
        "outcome": _outcome(outcomes, {logic.collects for logic in versions}),
        "values": {"properties": {name: {"anyOf": [*kinds, {"type": "null"}]} for name, kinds in values.items()}},
    }
    return {"allOf": [{"$ref": f"{PLACE}Answer"}, {"properties": members}]}


def _outcome(outcomes: Sequence[str], collects: Iterable[bool]) -> Json:
    if not outcomes:
        return {"type": "null"}
    one = {"type": "string", "enum": list(outcomes)}
    kinds = [{"type": "array", "items": one, "uniqueItems": True} if each else one for each in collects]
    return {"anyOf": [*kinds, {"type": "null"}]}


def _answer() -> Json:
    """The schema of an answer, with what further explanations add to it."""
    text = resources.files("policy_engine.language").joinpath("decision.schema.json").read_text("utf-8")
    schema: Json = json.loads(text)
    schema["properties"] |= {
        "trace": {"type": "object", "description": "Every rule and step, where `explain` is `trace`."},
        "explanation": {
            "description": "What the reader is told, where `for` names one.",
            "type": "array",
            "items": {"$ref": f"{PLACE}Section"},
        },
    }
    return {**{name: value for name, value in schema.items() if name != "$schema"}, "required": list(ALWAYS)}


def _section() -> Json:
    line = {"depth": {"type": "integer", "minimum": 0}, "text": {"type": "string"}}
    lines = {"type": "array", "items": _closed(line)}
    return {"description": "Lines under a heading.", **_closed({"heading": {"type": "string"}, "lines": lines})}


def _problem() -> Json:
    members: Json = {name: {"type": "string"} for name in ("type", "title", "detail")}
    violation = {name: {"type": "string"} for name in ("pointer", "keyword", "expected", "message", "description")}
    members |= {"status": {"type": "integer"}, "violations": {"type": "array", "items": _closed(violation)}}
    needed = ["type", "title", "status", "detail"]
    return {"type": "object", "description": "A problem (RFC 9457).", "properties": members, "required": needed}


def _rulesets() -> Json:
    day = {"type": ["string", "null"], "format": "date"}
    version = {"version": {"type": "string"}, "from": day, "until": day, "digest": {"type": "string"}}
    decision = {"name": {"type": "string"}, "question": {"type": "string"}}
    told = {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "versions": _list(version),
        "decisions": _list(decision),
    }
    return {"description": "All rulesets in short.", **_closed({"rulesets": _list(told)})}


def _readiness() -> Json:
    members = {
        "status": {"type": "string", "enum": ["ready", "not ready"]},
        "epoch": {"type": "integer", "minimum": 1, "description": "How many times rules were loaded."},
        "rulesets": {"type": "integer", "minimum": 0},
        "reload": {"type": "string", "enum": ["fine", "refused"], "description": "What became of the last try."},
        "faults": {"type": "array", "items": {"type": "string"}, "description": "Why it was refused."},
        "log": {"type": "string", "enum": ["fine", "unavailable"], "description": "Whether answers can be recorded."},
    }
    return {**_closed(members), "required": ["status", "epoch", "rulesets", "reload"]}


def _list(members: Mapping[str, object]) -> Json:
    return {"type": "array", "items": _closed(members)}


def _closed(members: Mapping[str, object]) -> Json:
    """An object of just these members."""
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def _content(description: str, media: str, schema: Json) -> Json:
    return {"description": description, "content": {media: {"schema": schema}}}


def _refused(status: int) -> Json:
    titles = [kind.title for kind in KINDS if kind.status == status]
    return _content("; or: ".join(titles), CONTENT_TYPE, {"$ref": f"{PLACE}Problem"})


def _problems(*statuses: int) -> Json:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


NEVER_HERE = 405
"""The status of a method that an address does not take: no address that is described has it."""
STATUSES = sorted({kind.status for kind in KINDS} - {NEVER_HERE})
ON_QUESTIONS = (400, 401, 403, 404, 408, 413, 415, 421, 422, 429, 431, 500, 503)


def _get(
    operation: str, summary: str, media: str = "application/json", *statuses: int, named: str = "", told_as: str = ""
) -> Json:
    kind = {"$ref": f"{PLACE}{told_as}"} if told_as else {"type": "string" if media.startswith("text") else "object"}
    told = {"200": _content(summary, media, kind)}
    got: Json = {"tags": ["service"], "operationId": operation, "summary": summary, "description": f"{summary}."}
    if named:
        got["parameters"] = [{"name": named, "in": "path", "required": True, "schema": {"type": "string"}}]
    return {"get": {**got, "responses": {**told, **_problems(*statuses, 500)}}}


ON_LOG = (401, 403, 404, 421, 429, 503)


def _between(operation: str, summary: str) -> Json:
    """What is told of the decision log between two sizes."""
    got = _get(operation, summary, "text/plain", *ON_LOG, 422)
    size = {"type": "integer", "minimum": 0}
    sizes = [{"name": name, "in": "query", "required": name == "from", "schema": size} for name in ("from", "to")]
    return {"get": {**got["get"], "parameters": sizes}}


LINES: Json = {
    "application/jsonl": {"schema": {"description": "JSON Lines, which no schema of one JSON value describes."}}
}
OWN_PATHS: Mapping[str, Json] = {
    "/v1/batch": {
        "post": {
            "tags": ["service"],
            "operationId": "batch",
            "summary": "Many questions, a line for each",
            "description": "Each line is a question with its `ruleset` and, unless all are asked, its `decision`.",
            "requestBody": {"required": True, "content": LINES},
            "responses": {
                "200": {"description": "An answer or a problem for each line", "content": LINES},
                **_problems(401, 403, 415, 421, 429, 431, 500),
            },
        }
    },
    "/v1/rulesets": _get(
        "rulesets", "All rulesets in short", "application/json", 401, 403, 421, 429, told_as="Rulesets"
    ),
    "/v1/rulesets/{ruleset}": _get(
        "ruleset", "All of a ruleset", "application/json", 401, 403, 404, 421, 429, named="ruleset"
    ),
    "/v1/log/checkpoint": _get("log_checkpoint", "The newest checkpoint of the decision log", "text/plain", *ON_LOG),
    "/v1/log/{id}": _get("log_entry", "A record's entry, with the proof of it", "text/plain", *ON_LOG, named="id"),
    "/v1/log/consistency": _between("log_consistency", "That the decision log was continued and not rewritten"),
    "/problems/{kind}": _get("problem", "What a kind of problem is", "text/plain", 404, named="kind"),
    "/healthz": _get("health", "That the process is alive"),
    "/readyz": _get("readiness", "That questions are answered, and by which rules", told_as="Readiness"),
    "/metrics": _get("metrics", "What was counted, for Prometheus", "text/plain", 401, 421, 429),
    "/openapi.json": _get("openapi", "This document", "application/json", 401, 403, 421, 429),
}
