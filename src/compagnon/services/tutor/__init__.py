"""A teaching assistant: what it knows, and how it finds the passages that answer a question."""
