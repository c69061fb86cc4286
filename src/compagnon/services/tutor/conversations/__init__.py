"""Conversations with the tutor, kept for their owner: a person with an account, or a browser without one."""
