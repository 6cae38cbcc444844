"""From texts to a checked ruleset, or to diagnostics: reader, parser, schemas, checker, lints, loader."""
