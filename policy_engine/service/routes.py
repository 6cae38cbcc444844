"""Which address does what: a table of routes, and what each of them answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from importlib import import_module

from policy_engine.diagnostics import shown_text, unknown_name
from policy_engine.service import files
from policy_engine.service.authzen.addresses import METADATA, QUESTIONS, is_authzen
from policy_engine.service.authzen.messages import message_response
from policy_engine.service.batches import Batch
from policy_engine.service.deciding import Service
from policy_engine.service.exchanges import Exchange, Step
from policy_engine.service.limits import refuse_long_body
from policy_engine.service.metrics import exposition
from policy_engine.service.problems import BY_NAME, Problem
from policy_engine.service.requests import JSON, JSON_LINES, Head, question_of, question_of_line, require_type
from policy_engine.service.responses import METRICS, TEXT, Response, json_response
from policy_engine.service.settings import ANSWER_AND_COUNT


def received(service: Service, head: Head) -> tuple[Exchange, Step]:
    """A request, and what to do with it."""
    exchange = Exchange.of(service, head)
    if service.traces is not None:
        exchange.span = service.traces.begun(head, exchange.id)
    return exchange, exchange.told(lambda: _begun(exchange))


def _begun(exchange: Exchange) -> Step:
    service, head = exchange.service, exchange.head
    if is_authzen(head.path):
        exchange.refusal = message_response
    route, exchange.named = _route_to(head)
    exchange.address = route.address
    is_open = route.access is Access.OPEN or (route.access is Access.SHOWN and service.settings.open_documentation)
    if not is_open:
        exchange.caller = service.caller(head)
    if route.access is Access.SHOWN:
        service.require(exchange.caller, "decide")
    return route.begin(exchange)


def _decide(call: Exchange) -> Step:
    service, named = call.service, call.named
    require_type(call.head, JSON)
    refuse_long_body(call.head.header("content-length"), service.settings.largest_body)

    def answer(body: bytes) -> Response:
        question = question_of(named["ruleset"], named.get("decision", ""), body)
        return Response(200, service.answer(question, call.caller, call.records))

    return call.after_body(answer)


def _batch(call: Exchange) -> Step:
    require_type(call.head, JSON_LINES)
    service, settings = call.service, call.service.settings

    def answer(line: bytes) -> bytes:
        return service.answer(question_of_line(line), call.caller, call.records)

    told = service.counts.problem
    return Batch(partial(call.line_told, answer), settings.largest_body, settings.longest_batch, told, call.records)


def _problem(call: Exchange) -> Step:
    """The page that the `type` of a problem document leads to."""
    kind = BY_NAME.get(call.named["kind"])
    if kind is None:
        raise Problem("not-found", f"there is no kind of problem `{shown_text(call.named['kind'], 40)}`")
    return Response(200, f"{kind.title} (status {kind.status}).\n{kind.advice}\n".encode(), TEXT)


def _rulesets(call: Exchange) -> Step:
    return Response(200, call.service.loaded.overview)


def _ruleset(call: Exchange) -> Step:
    loaded, name = call.service.loaded, call.named["ruleset"]
    if name not in loaded.versions:
        raise Problem("unknown-decision", unknown_name("ruleset", shown_text(name, 40), list(loaded.versions)))
    return Response(200, loaded.whole(name))


def _openapi(call: Exchange) -> Step:
    return Response(200, call.service.loaded.openapi)


def _metrics(call: Exchange) -> Step:
    return Response(200, exposition(call.service.series()), METRICS)


def _alive(call: Exchange) -> Step:
    return json_response({"status": "ok"})


def _ready(call: Exchange) -> Step:
    """Whether questions are answered: a server that has this service answers them unless it must log them and cannot."""
    service = call.service
    loaded = service.loaded  # which may change now, and what is known of reloading with it
    faults = list(service.reloads.faults)
    told: dict[str, object] = {"status": "ready", "epoch": loaded.epoch, "rulesets": len(loaded.versions)}
    if faults and (service.settings.open_documentation or not service.callers.are_asked):
        told["faults"] = faults
    told["reload"] = "refused" if faults else "fine"
    if service.log is None:
        return json_response(told)
    is_ready = not service.log.fault or service.settings.log_on_failure == ANSWER_AND_COUNT
    told |= {"status": "ready" if is_ready else "not ready", "log": "unavailable" if service.log.fault else "fine"}
    return json_response(told, 200 if is_ready else 503)


def _of_log(begin: str) -> Callable[[Exchange], Step]:
    """What is done with a request about the decision log, which is not loaded where there is none."""

    def begun(call: Exchange) -> Step:
        if not call.service.settings.log_location:
            raise Problem("not-found", "this service keeps no decision log: the setting `log_location` names one")
        answering = import_module("policy_engine.service.decision_log.answering")
        step: Step = getattr(answering, begin)(call)
        return step

    return begun


class Access(Enum):
    """Whom an address is for: callers, whose questions are looked at; everybody; or callers, unless documentation is open."""

    CALLERS = auto()
    OPEN = auto()
    SHOWN = auto()


@dataclass(frozen=True, slots=True)
class Route:
    """A method and an address, in which a part in braces stands for any name; `named` matches addresses with it."""

    method: str
    address: str
    named: Callable[[str], re.Match[str] | None]
    access: Access
    begin: Callable[[Exchange], Step]


def _route(method: str, address: str, access: Access, begin: Callable[[Exchange], Step]) -> Route:
    pattern = "".join(f"(?P<{part[1:-1]}>[^/]*)" if part[:1] == "{" else re.escape(part) for part in _PARTS(address))
    return Route(method, address, re.compile(pattern).fullmatch, access, begin)


_PARTS = re.compile(r"\{\w+\}|[^{]+").findall


ROUTES: tuple[Route, ...] = (
    _route("POST", "/v1/decisions/{ruleset}/{decision}", Access.CALLERS, _decide),
    _route("POST", "/v1/decisions/{ruleset}", Access.CALLERS, _decide),
    _route("POST", "/v1/batch", Access.CALLERS, _batch),
    _route("GET", "/v1/rulesets", Access.SHOWN, _rulesets),
    _route("GET", "/v1/rulesets/{ruleset}", Access.SHOWN, _ruleset),
    _route("GET", "/v1/log/checkpoint", Access.CALLERS, _of_log("checkpoint")),
    _route("GET", "/v1/log/consistency", Access.CALLERS, _of_log("consistency")),
    _route("GET", "/v1/log/{id}", Access.CALLERS, _of_log("entry")),
    _route("GET", "/problems/{kind}", Access.OPEN, _problem),
    _route("GET", "/healthz", Access.OPEN, _alive),
    _route("GET", "/readyz", Access.OPEN, _ready),
    _route("GET", "/metrics", Access.CALLERS, _metrics),
    _route("GET", "/openapi.json", Access.SHOWN, _openapi),
    _route("GET", "/docs", Access.SHOWN, lambda call: files.page()),
    _route("GET", "/docs/docs.js", Access.OPEN, lambda call: files.start()),
    _route("GET", f"/docs/{files.SCALAR}", Access.OPEN, lambda call: files.scalar(call.head)),
    *(_route("POST", address, Access.CALLERS, begin) for address, begin in QUESTIONS),
    *(_route("GET", address, Access.OPEN, begin) for address, begin in METADATA),
)


def _route_to(head: Head) -> tuple[Route, dict[str, str]]:
    """The route of a request; raises `Problem` where there is no such address, or it takes other methods."""
    method = "GET" if head.method == "HEAD" else head.method
    others = []
    for route in ROUTES:
        named = route.named(head.path)
        if named is not None and route.method == method:
            return route, named.groupdict()
        if named is not None:
            others.append(route.method)
    if not others:
        raise Problem("not-found", f"there is nothing at `{shown_text(head.path, 100)}`")
    allowed = ", ".join("GET, HEAD" if other == "GET" else other for other in others)
    raise Problem(
        "wrong-method",
        f"this address takes {allowed}, not `{shown_text(head.method, 20)}`",
        headers=(("allow", allowed),),
    )
