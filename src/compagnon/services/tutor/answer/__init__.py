"""Answering a question: what to look at, who writes, and what of it may be shown.

``compagnon.services.tutor.answer.tutor.Tutor`` gives an answer as events, for the command line, the pages and programs.
"""
