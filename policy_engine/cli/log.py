"""`policy log`: the decision log, made, verified, read, proved, erased from and pruned."""

from __future__ import annotations

import typer

from policy_engine.cli import log_proofs, log_reading, log_replay, log_verify, log_witness, log_writing

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def log() -> None:
    """Keep the decision log: make one, verify it, read and prove what was answered, erase and prune."""


app.command(short_help="Make a log and its keys.")(log_writing.init)
app.command(short_help="Verify a whole log, also against checkpoints that were kept.")(log_verify.verify)
app.command(short_help="Show a record.")(log_reading.show)
app.command(short_help="List the records of an account, a decision, a caller, a time ...")(log_reading.query)
app.command(short_help="Count what is in a log.")(log_reading.stats)
app.command(short_help="Write records as JSON Lines or Parquet.")(log_reading.export)
app.command(short_help="Decide again what was answered, under the same or other rules.")(log_replay.replay)
app.command(short_help="Print a checkpoint, to be kept elsewhere.")(log_proofs.checkpoint)
app.command(short_help="Prove that a record is in a log, or that it only grew.")(log_proofs.prove)
app.command(short_help="Sign a checkpoint as a witness.")(log_witness.witness)
app.command("witness-key", short_help="Make the key of a witness.")(log_witness.witness_key)
app.command(short_help="Erase what is known of accounts.")(log_writing.erase)
app.command(short_help="Let go of old entries and payloads.")(log_writing.prune)
