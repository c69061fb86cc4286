"""The search of the tutor as other libraries ask for one; each needs its own extra."""
