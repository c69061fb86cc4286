"""Modules that go into an export as they stand: nothing here imports Compagnon."""
