"""Predictions over HTTP: decode strictly, predict off the loop, answer or say precisely what is wrong."""
