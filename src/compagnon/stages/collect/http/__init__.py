"""Asking servers over HTTP with care: bounded, patient, polite, and never where it was not told to go."""
