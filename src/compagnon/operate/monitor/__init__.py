"""Predictions kept for monitoring: masked, in segments, for as long as declared."""
