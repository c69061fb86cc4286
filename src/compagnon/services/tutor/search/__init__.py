"""Finding the passages that answer a question: words, meaning, and both together.

``compagnon.services.tutor.search.index.Index`` is what answers are made from.
"""
