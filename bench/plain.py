"""The baseline: a plain `requests` sender, its processes started and its work packed beforehand."""

import json
import subprocess
import sys
import time

from bench.house import CONNECTIONS, KEY, PROCESSES, SECRET, House
from contacts.models import Contact
from messaging.providers.packing import pack, to_field


def send(house: House, text: str) -> float:
    """Recipients a second, all of them accepted."""
    url = f"{house.connection.base_url}{house.connection.send_path}"
    command = [sys.executable, "-m", "bench.plain_sender", url, KEY, SECRET, str(CONNECTIONS)]
    senders = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    work = [json.dumps(one) + "\n" for one in _packed(house, text)]
    pipes = [(sender.stdin, sender.stdout) for sender in senders if sender.stdin and sender.stdout]
    for _, stdout in pipes:
        stdout.readline()  # it has imported what it needs
    began = time.monotonic()
    for index, (stdin, _) in enumerate(pipes):
        stdin.writelines(work[index::PROCESSES])
        stdin.close()
    accepted = sum(int(stdout.read()) for _, stdout in pipes)
    took = time.monotonic() - began
    for sender in senders:
        sender.wait()
    assert accepted == house.people, accepted
    return house.people / took


def _packed(house: House, text: str) -> list[tuple[str, str]]:
    """What `to` and `text` of each request are."""
    people = Contact.objects.filter(lists=house.list).order_by("pk").values_list("msisdn", "name")
    if "{{" in text:
        return [(to_field("whatsapp", [msisdn]), text.replace("{{name}}", name)) for msisdn, name in people]
    groups = pack("whatsapp", [msisdn for msisdn, _ in people])
    return [(to_field("whatsapp", group), text) for group in groups]
