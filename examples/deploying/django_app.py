"""The engine in a project of Django: asked by a view, and the whole service below `/policy`."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from policy_engine import Engine, FactsError
from policy_engine.service.asgi import Application
from policy_engine.service.deciding import Service
from policy_engine.service.loaded import Loaded
from policy_engine.service.settings import Settings

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost"], SECRET_KEY="an example; a project has its own")
engine = Engine.load("rules", "schemas", only=["can_spam"])
BELOW = "/policy"


def opt_out(request: HttpRequest, received_on: str) -> JsonResponse:
    """By when an opt-out must have been honoured, and why."""
    as_of = date.fromisoformat(request.GET["as_of"])
    try:
        decision = engine.decide("can_spam.opt_out_deadline", {"opt_out_received_on": received_on}, as_of=as_of)
    except FactsError as error:
        return JsonResponse({"violations": [violation.to_dict() for violation in error.violations]}, status=422)
    return JsonResponse({"by": decision.values["latest_date"], "because": decision.reason})


urlpatterns = [path("opt-outs/<received_on>", opt_out)]
django, policy = get_asgi_application(), Application(Service(Loaded(engine), Settings()))


async def application(
    scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """What an ASGI server calls: the service for addresses below `/policy`, else Django."""
    if scope["type"] == "http" and scope["path"].startswith(f"{BELOW}/"):
        await policy({**scope, "root_path": BELOW}, receive, send)
    else:
        await django(scope, receive, send)
