"""The decision service over HTTP: it knows the engine, and the engine does not know it.

What a request means and what is answered is written without any server (`requests.py`, `answers.py`, `routes.py`, `batches.py`).
Two thin adapters bring it to servers: `rsgi.py` to Granian, which `policy serve` runs, and `asgi.py` to any other.
"""
