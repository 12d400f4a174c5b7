"""Words and numbers of the provider's page "Bulk360 WhatsApp API V3.0", letter for letter."""

ACCEPTED = 200
MISSING, CREDENTIALS, NO_CREDIT, NOT_ENABLED, MIXED = 400, 401, 402, 403, 405
NOT_APPROVED, BANNED, SUSPENDED, OBSERVATION, SERVER_ERROR = 406, 407, 412, 413, 500

RESPONSES = {
    ACCEPTED: "OK",
    MISSING: "Missing parameters or invalid field type",
    CREDENTIALS: "Invalid Username or password",
    NO_CREDIT: "Insufficient Account credit",
    NOT_ENABLED: "Message API not enabled, requested IP not whitelisted or not enabled",
    MIXED: (
        "Invalid Message Type. Mobile numbers provided involved multiple services (SMS & WhatsApp), "
        "you can only trigger 1 service in 1 API request"
    ),
    NOT_APPROVED: (
        "Message content is not approved. If you sending Whatsapp Message, "
        "please submit your WhatsApp message content for approval"
    ),
    BANNED: "Banned Content detected. Your account is suspended",
    SUSPENDED: "Account suspended / Terminated / Not activated",
    OBSERVATION: "Account under observation mode, limited features enabled",
    SERVER_ERROR: "Internal server error",
}

SENT, DELIVERED, UNDELIVERED = "SENT", "DELIVERED", "UNDELIVERED"
NO_ERROR, WITH_CARRIER = "000", "20"

DN_CODES = {
    "000": "No Error",
    "20": "Message sent to carrier partner",
    "50": "Unknown Error / Not specify",
    "501": "Absent Subscriber",
    "502": "Handset memory capacity exceeded",
    "503": "Equipment protocol error",
    "504": "Equipment not equipped with short-message capability",
    "505": "Unknown subscriber",
    "506": "Illegal subscriber",
    "507": "Teleservice not provisioned",
    "508": "Illegal equipment",
    "509": "Call barred",
    "510": "Facility not supported",
    "511": "Subscriber busy for MT short message",
    "512": "System failure",
    "513": "Data missing",
    "514": "Unexpected data value",
    "515": "Unidentified subscriber",
    "516": "Absent subscriber. No paging response",
    "517": "Absent subscriber. IMSI detached",
    "518": "Absent subscriber. Roaming restriction",
    "547": "Application context not supported",
    "550": "Temporary error received from peer SMSC",
    "551": "SMS malformed",
    "552": "SMS expired",
    "553": "Insufficient credit",
    "554": "Invalid destination",
    "555": "Unable to find outbound route for this SMS",
    "556": "SMS buffered",
    "557": "Timeout waiting for response from peer",
    "558": "Throttling error",
    "561": "Subscriber blacklisted",
    "562": "Subscriber not white listed",
    "569": "Invalid sender ID",
    "571": "Subscriber opted out from receiving SMS",
    "574": "SMS rejected. Error received from peer SMSC",
    "575": "SMS rejected. Inappropriate SMS content",
    "576": "Sender ID blacklisted",
    "577": "Sender ID not white listed",
}
