"""The flight plan: what will happen to everyone in a campaign, and why, before anything leaves.

A draft's plan is only counted. Asking for approval writes one planned row a person, in chunks that can be resumed;
sealing the plan fixes its hash, and approval names the hash that the approver saw.
"""

from messaging.planning.audience import MEMBERS_SQL, AudienceCounts, audience_counts, audience_size, everyone_sql
from messaging.planning.counts import LaneCount, forecast, forecasts, in_order, plan_time, quiet_verdict
from messaging.planning.forgetting import campaigns_with_rows, forget_plans, unseal
from messaging.planning.lines import PlanRow, intended, parts_if_sms, plan_rows, preview, sms_parts
from messaging.planning.rows import lock_row
from messaging.planning.seal import plan_hash
from messaging.planning.writing import materialise, materialise_waiting

__all__ = [
    "MEMBERS_SQL",
    "AudienceCounts",
    "LaneCount",
    "PlanRow",
    "audience_counts",
    "audience_size",
    "campaigns_with_rows",
    "everyone_sql",
    "forecast",
    "forecasts",
    "forget_plans",
    "in_order",
    "intended",
    "lock_row",
    "materialise",
    "materialise_waiting",
    "parts_if_sms",
    "plan_hash",
    "plan_rows",
    "plan_time",
    "preview",
    "quiet_verdict",
    "sms_parts",
    "unseal",
]
