"""From the nodes of rule files to a checked ruleset, or to diagnostics: parser, schemas, checker, lints, loader."""
