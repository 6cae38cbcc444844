"""The language as plain data: types, values, functions, expressions, rulesets, decisions."""
