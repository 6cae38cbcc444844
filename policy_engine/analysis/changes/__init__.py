"""What changed from one ruleset to another, part by part."""
