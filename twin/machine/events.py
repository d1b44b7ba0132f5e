"""Writing into an execution's history."""

from typing import Any


def event_details(**parts: Any) -> Any:
    """Return the details of a history event; moto's type for it demands every field that any event can have."""
    return parts


def add_event(env: Any, event_type: Any, details: Any = None, *, source: bool = True) -> int:
    """Add an event and return its id; `source` makes it the one that the next event follows."""
    return int(
        env.event_manager.add_event(
            context=env.event_history_context,
            event_type=event_type,
            event_details=details,
            update_source_event_id=source,
        )
    )
