"""New solutions: copied from a template, or drafted from data with each guess explained."""
