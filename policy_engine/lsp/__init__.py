"""The language server: what editors ask about rules, tests and schemas, and the answers."""
