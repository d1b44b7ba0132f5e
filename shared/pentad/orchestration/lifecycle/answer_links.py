"""Defuse the links of an answer that was made with text from outside, as it is stored: so all who read it have that."""

from dataclasses import dataclass

from pentad.domain.declarations.policy import PolicySpec
from pentad.domain.display.links import defuse_links
from pentad.domain.messages import Message
from pentad.domain.runs import Run, Step
from pentad.memory.sessions.ports import SessionStore

_NAMED = 5


@dataclass(frozen=True)
class AnswerLinks:
    """Decides which links of an answer stay.

    Args:
        policy: says which hosts may be led to, and which sources are trusted.
        sessions: where the question is: an address that the user wrote in it stays.
    """

    policy: PolicySpec
    sessions: SessionStore

    def defuse(self, run: Run, step: Step, text: str) -> tuple[str, tuple[str, ...]]:
        """Return an answer with what leads elsewhere defused, and what its reader is told of that.

        Args:
            run: whose answer it is.
            step: its last.
            text: the answer.

        Raises:
            StoreUnavailable: the store did not answer.
        """
        if not has_untrusted(self.policy, (*run.taint, *step.taint)):
            return text, ()
        hosts = self.policy.links.hosts
        found = defuse_links(text, allowed=hosts)
        if found.text == text:
            return text, ()
        place = run.request_seq
        asked = [one.message.text for one in self.sessions.read(run.tenant_id, run.session_id, place, place)]
        found = defuse_links(text, allowed=hosts, own_words=asked)
        if not found.hosts:
            return found.text, ()
        named = ", ".join(found.hosts[:_NAMED]) + (", ..." if len(found.hosts) > _NAMED else "")
        return found.text, (f"Links of the answer were blocked, since there was text from outside: {named}.",)


def has_untrusted(policy: PolicySpec, taint: tuple[str, ...]) -> bool:
    """Tell whether there is text of a source that the policy does not trust."""
    return any(source not in policy.trusted for source in taint)


def defuse_message(policy: PolicySpec, message: Message, own_words: tuple[str, ...] = ()) -> str:
    """Return the words of a message as they are shown: what an agent wrote with text from outside leads nowhere else.

    Args:
        policy: says which hosts may be led to, and which sources are trusted.
        message: of a session.
        own_words: what users wrote around it.
    """
    if message.role != "assistant" or not has_untrusted(policy, message.taint):
        return message.text
    return defuse_links(message.text, allowed=policy.links.hosts, own_words=own_words).text
