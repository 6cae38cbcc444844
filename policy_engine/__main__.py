"""`python -m policy_engine` is the command `policy`."""

from policy_engine.cli.start import main

if __name__ == "__main__":  # processes that a process starts may import it by another name
    main()
