"""The command line `policy`: one module per command."""
