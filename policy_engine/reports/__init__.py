"""From decisions to something a person reads."""
