"""Practice sources on loopback: an API, a web site, databases, files and a lake, with faults to learn from."""
