"""Cases that `pentad feedback export` made of answers that people judged, for tests."""

from pentad.observability.feedback.cases import CaseMessage, FeedbackCase, load_cases

__all__ = ["CaseMessage", "FeedbackCase", "load_cases"]
