"""One archive of a solution: ``write`` makes it, ``restore`` makes a solution of it again."""
