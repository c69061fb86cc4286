"""Engines that stages share: where Spark is, and how a session of it is had."""
