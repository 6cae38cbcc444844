"""`python -m policy_engine` is the command `policy`."""

from policy_engine.cli.start import main

main()
