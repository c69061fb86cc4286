"""Conversations that a person takes over: what hands them over, the queue, and when somebody is there."""
