"""What a service says when it will not do a thing: a stable code for machines and words for a person."""

from typing import Any

from django.utils.functional import Promise


class Refused(Exception):
    """A service's no. Nothing was changed."""

    code = "refused"

    def __init__(self, words: str | Promise, **detail: Any) -> None:
        super().__init__(str(words))
        self.words = words
        self.detail = detail


class WrongState(Refused):
    """The thing is not in a state that allows this."""

    code = "wrong_state"


class SelfApproval(Refused):
    """Whoever wrote, edited or submitted a text cannot approve it."""

    code = "self_approval"


class Incomplete(Refused):
    """Something that must be there is missing."""

    code = "incomplete"


class Stale(Refused):
    """Somebody else changed it meanwhile."""

    code = "stale"
