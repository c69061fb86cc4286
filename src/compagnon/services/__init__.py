"""What a solution offers to others while it is in use."""
