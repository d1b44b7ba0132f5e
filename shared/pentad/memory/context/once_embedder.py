"""Embed a text once for all that is searched for one question."""

from collections.abc import Sequence

from pentad.domain.models import CallContext, EmbedReply
from pentad.models.ports import Embedder


class OnceEmbedder:
    """An embedder that remembers its vectors: passages and turns are searched with the same one. For one run.

    Args:
        inner: makes the vectors.
    """

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self._known: dict[tuple[str, int | None], tuple[float, ...]] = {}
        self._last: EmbedReply | None = None

    def embed(
        self, texts: Sequence[str], context: CallContext, *, deadline: float, dimensions: int | None = None
    ) -> EmbedReply:
        """Return one vector a text; see the port. What was embedded before costs nothing.

        Raises:
            ModelThrottled: the provider said 429 until the deadline.
            ModelUnavailable: it did not answer until the deadline.
        """
        missing = list(dict.fromkeys(text for text in texts if (text, dimensions) not in self._known))
        last = self._last
        if missing or last is None:
            last = self._last = self._inner.embed(missing, context, deadline=deadline, dimensions=dimensions)
            self._known.update(((text, dimensions), one) for text, one in zip(missing, last.vectors, strict=True))
        return last.model_copy(update={"vectors": tuple(self._known[text, dimensions] for text in texts)})
