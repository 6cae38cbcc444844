"""Benchmarks of whole tables: millions of accounts, by hand, by other engines, and by ours."""
