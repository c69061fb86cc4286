"""Documented queries: what each of ``queries/*.sql`` says of itself, and what its optimization is worth, measured."""
