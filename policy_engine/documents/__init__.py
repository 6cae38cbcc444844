"""Text files as plain data: YAML and JSON, read strictly, with the place of every part and of every fault."""
