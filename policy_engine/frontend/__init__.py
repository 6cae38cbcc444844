"""The compiler's front end: from parsed YAML to checked rulesets, or to diagnostics."""
