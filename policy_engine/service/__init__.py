"""The decision service over HTTP: it knows the engine, and the engine does not know it.

What a request means and what is answered is written without any server (`requests.py`, `answers.py`, `routes.py`, `batches.py`).
Two adapters bring it to connections: `connections.py`, which `policy serve` runs in its workers, and `asgi.py` for other servers.
"""
