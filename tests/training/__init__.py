"""Texts that the models in flows/words are learned from, and how: see __main__."""
