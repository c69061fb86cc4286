"""The knowledge base: one JSON file for each topic, read, checked and walked through.

``compagnon.services.tutor.knowledge.load.load`` reads a base whole; ``check`` reports every defect at once.
"""
