"""Redis wiped every 5 s and killed 6 times in a campaign: it completes, and no pause is longer than 15 s."""

from __future__ import annotations

from typing import Any

from messaging.models import Connection
from tests.chaos.nemesis import Nemesis
from tests.chaos.pulse import Pulse
from tests.chaos.rig import Rig

PEOPLE, KILLS, A_SECOND = 5_000, 6, 60
WIPE_EVERY_S, PAUSE_S = 5, 15


def run(rig: Rig) -> dict[str, Any]:
    people = rig.size(PEOPLE)
    Connection.objects.update(rate_per_s=max(5, min(A_SECOND, people // 40)))  # so that it lasts
    campaign = rig.campaign(people)
    rig.celery("send")
    rig.backstage()
    pulse, nemesis = Pulse(rig), Nemesis(rig.chance, people)
    pulse.every(WIPE_EVERY_S, rig.broker.flush)
    nemesis.plan("kill", KILLS, rig.broker.restart)

    def over() -> bool:
        pulse.look()
        return nemesis.done and rig.sandbox.accepted() >= people

    rig.until(
        over, seconds=600, what="everybody is sent to", meanwhile=lambda: nemesis.look(rig.sandbox.accepted())
    )  # fmt: skip
    rig.finish(campaign, seconds=60)
    ended = [child.name for child in rig.children if not child.alive]
    rig.expect(not ended, f"ended because Redis went away: {ended}")
    rig.expect(pulse.longest_pause_s <= PAUSE_S, f"a pause of {pulse.longest_pause_s:.1f} s")
    pause = {"longest_pause_s": round(pulse.longest_pause_s, 1)}
    return {**nemesis.done_acts, **pause, **rig.verdict(campaign, unknown_at_most=0).figures}
