"""Columns of many accounts at once, in Polars."""
