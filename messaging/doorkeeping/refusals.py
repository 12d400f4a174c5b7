"""A call of the door that gets one of the provider's own refusals."""

from messaging.errors import Refused
from messaging.providers.codes import ANSWER_CODES

# Bulk360 WhatsApp API V3.0, "Response Code"
ACCEPTED = 200
MISSING = 400
CREDENTIALS = 401
NO_CREDIT = 402
NOT_ENABLED = 403
MIXED = 405
NOT_APPROVED = 406
SUSPENDED = 412
SERVER_ERROR = 500


class CallRefused(Refused):
    """Nothing was queued; `answer` is the provider's code that says why."""

    code = "door_call_refused"

    def __init__(self, answer: int) -> None:
        super().__init__(ANSWER_CODES[answer].words)
        self.answer = answer
