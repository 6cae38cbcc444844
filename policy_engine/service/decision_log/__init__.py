"""The decision log of the service: one process writes it for all workers, and an answer is sent once its record is durable."""
