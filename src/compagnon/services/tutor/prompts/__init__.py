"""Prompts tried side by side, scored on a set of questions, and shipped only where nothing stated got worse."""
