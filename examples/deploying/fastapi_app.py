"""The engine in an application of FastAPI: asked by its own routes, and the whole service below `/policy`."""

from datetime import date

from fastapi import FastAPI, HTTPException

from policy_engine import Engine, FactsError
from policy_engine.service.asgi import Application
from policy_engine.service.deciding import Service
from policy_engine.service.loaded import Loaded
from policy_engine.service.settings import Settings

engine = Engine.load("rules", "schemas", only=["can_spam"])
app = FastAPI()
app.mount("/policy", Application(Service(Loaded(engine), Settings())))


@app.get("/opt-outs/{received_on}")
def opt_out(received_on: str, as_of: date) -> dict[str, object]:
    """By when an opt-out must have been honoured, and why."""
    try:
        decision = engine.decide("can_spam.opt_out_deadline", {"opt_out_received_on": received_on}, as_of=as_of)
    except FactsError as error:
        raise HTTPException(422, [violation.to_dict() for violation in error.violations]) from None
    return {"by": decision.values["latest_date"], "because": decision.reason}
