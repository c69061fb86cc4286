"""What people say of predictions: wrong, or decided by a person."""

from compagnon.operate.feedback.store import Feedback, add_feedback, count_feedback, list_feedback

__all__ = ["Feedback", "add_feedback", "count_feedback", "list_feedback"]
