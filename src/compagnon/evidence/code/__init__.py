"""The readable code behind a run: SQL, Python and notebook that do the same without Compagnon."""
