"""Talking with one person: their timeline, what may be sent to them now, and the replies of staff."""

from messaging.inbox.closest import closest
from messaging.inbox.lists import (
    SORTS,
    VIEWS,
    ConversationPage,
    ConversationRow,
    closing_soon,
    conversations,
    following,
    own_sort,
    view_counts,
)
from messaging.inbox.opt_outs import OptOut, opt_outs
from messaging.inbox.replies import (
    ReplyRefused,
    StaleConversation,
    add_note,
    assign,
    nothing_to_answer,
    reply,
    reply_with_template,
)
from messaging.inbox.steps import Step, said_by, steps
from messaging.inbox.timeline import TEXTS_FROM, Entry, said, timeline
from messaging.inbox.why import Why, why
from messaging.inbox.windows import Window, window_of

__all__ = [
    "SORTS",
    "TEXTS_FROM",
    "VIEWS",
    "ConversationPage",
    "ConversationRow",
    "Entry",
    "OptOut",
    "ReplyRefused",
    "StaleConversation",
    "Step",
    "Why",
    "Window",
    "add_note",
    "assign",
    "closest",
    "closing_soon",
    "conversations",
    "following",
    "nothing_to_answer",
    "opt_outs",
    "own_sort",
    "reply",
    "reply_with_template",
    "said",
    "said_by",
    "steps",
    "timeline",
    "view_counts",
    "why",
    "window_of",
]
