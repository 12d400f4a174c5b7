"""What the clinic's patients wrote and what the agent answered, up to this morning.

Windows that are open, closing and closed; read and unread; an answer that did not arrive; somebody who had enough.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from contacts.directory import edit_contact
from contacts.models import Contact, ContactList, ListMembership
from messaging import inbox
from messaging.demo.past import DELIVERED, left_since, report, send_due, write_in
from messaging.demo.story import day, number_of
from messaging.models import Connection, Conversation
from messaging.statuses import Channel

HIDES_NUMBER = "MY.6284193057"  # the WhatsApp user id of somebody whose number nobody knows
MOID = "demo-"  # begins the id of every MO of the story
SENDS_IN = timedelta(seconds=1)

Who = int | str  # a place in the queue of patients, or a WhatsApp user id


@dataclass(frozen=True)
class Turn:
    """Something in one person's conversation. `act`: writes, answers, notes, reads, takes (it on)."""

    who: Who
    at: datetime
    act: str
    text: str = ""
    fate: str = DELIVERED
    channel: str = Channel.WHATSAPP


def before_reminders(now: datetime) -> list[Turn]:
    """One had enough, one hides their number."""
    return [
        Turn(3, day(now, -6, "16:44"), "writes", "STOP"),
        Turn(3, day(now, -6, "16:52"), "reads"),
        Turn(HIDES_NUMBER, day(now, -5, "11:20"), "writes", "Hi, may I bring my mother along on Saturday?"),
        Turn(
            HIDES_NUMBER,
            day(now, -5, "11:31"),
            "notes",
            "WhatsApp hides her number, so she gets no SMS. Ask her for it.",
        ),
        Turn(HIDES_NUMBER, day(now, -5, "11:31"), "reads"),
    ]


def after_reminders(now: datetime) -> list[Turn]:
    """On the day they came, all read; these windows have closed."""
    return [
        Turn(0, day(now, -3, "10:47"), "writes", "1"),
        Turn(4, day(now, -3, "10:52"), "writes", "1 ya, terima kasih"),
        Turn(1, day(now, -3, "11:05"), "writes", "1"),
        Turn(8, day(now, -3, "11:20"), "writes", "2"),
        Turn(8, day(now, -3, "11:26"), "answers", "Baik Puan. Boleh datang Khamis, jam 2.30 petang?"),
        Turn(8, day(now, -3, "11:29"), "writes", "Boleh, terima kasih"),
        Turn(8, day(now, -3, "11:31"), "notes", "Moved to Thursday 2.30 pm in the appointment book."),
        *(Turn(who, day(now, -3, "17:30"), "reads") for who in (0, 1, 4, 8)),
    ]


def lately(now: datetime) -> list[Turn]:
    """Since yesterday."""

    def ago(hours: int, minutes: int = 0) -> datetime:
        return now - timedelta(hours=hours, minutes=minutes)

    return [
        Turn(23, ago(27), "writes", "Do you take walk-in patients for the flu vaccine?"),
        Turn(28, ago(25), "writes", "Pukul berapa klinik tutup hari ini?", channel=Channel.SMS),
        Turn(28, ago(24, 50), "answers", "Kami tutup jam 9.00 malam.", channel=Channel.SMS),
        Turn(
            19,
            ago(23, 50),
            "writes",
            "Is the doctor in tomorrow morning? My mother's blood pressure is 165/95 since yesterday.",
        ),
        Turn(12, ago(22), "writes", "Salam, boleh saya tukar temujanji ke waktu petang?"),
        Turn(24, ago(19), "writes", "Doktor, ubat saya sudah habis. Boleh saya ambil hari ini?"),
        Turn(24, ago(18, 45), "answers", "Boleh, Puan. Ubat sedia di kaunter sebelum 6.00 petang.", fate="501"),
        Turn(50, ago(6), "writes", "Terima kasih, saya sudah terima laporan."),
        Turn(50, ago(5, 58), "reads"),
        Turn(16, ago(5), "writes", "Tolong berhenti hantar mesej setiap minggu"),
        Turn(15, ago(4, 12), "writes", "Do I have to fast before the blood test?"),
        Turn(15, ago(4, 6), "answers", "Yes please: nothing but water from 10 pm the evening before."),
        Turn(15, ago(4), "writes", "Thank you! See you tomorrow."),
        Turn(15, ago(3, 58), "notes", "Blood test and lipids; lab form is in the file."),
        Turn(15, ago(3, 58), "reads"),
        Turn(41, ago(3), "writes", "Ada vaksin flu untuk budak umur 4 tahun?"),
        Turn(41, ago(2, 51), "answers", "Ada, Encik. Bawa buku rekod kesihatan anak ya."),
        Turn(14, ago(1, 20), "writes", "வணக்கம், என் அப்பாவுடன் நாளை காலை 9.30க்கு வரலாமா?"),
        Turn(14, ago(1, 5), "takes"),
        Turn(13, ago(0, 35), "writes", "请问星期六诊所几点开门？"),
    ]


def play(turns: list[Turn], connection: Connection, agent: User) -> None:
    """Each at its time."""
    for turn in sorted(turns, key=lambda turn: turn.at):
        _ACTS[turn.act](turn, connection, agent)


def name_who_hides(into: ContactList) -> None:
    """The agent asked for their name and put them on a list."""
    contact = edit_contact(contact=Contact.objects.get(wa_id=HIDES_NUMBER), name="Lim Siew Ling", language="en")
    ListMembership.objects.get_or_create(contact=contact, contact_list=into)


def _moid(turn: Turn) -> str:
    """The same at every telling."""
    return f"{MOID}{turn.who}-{turn.at:%y%m%d%H%M}"


def _write(turn: Turn, connection: Connection, _agent: User) -> None:
    sender = number_of(turn.who) if isinstance(turn.who, int) else turn.who
    write_in(connection, sender=sender, text=turn.text, at=turn.at, moid=_moid(turn), channel=str(turn.channel))


def _answer(turn: Turn, connection: Connection, agent: User) -> None:
    conversation = _conversation(turn, connection)
    message = inbox.reply(conversation=conversation, user=agent, text=turn.text, now=turn.at)
    send_due(connection, at=turn.at + SENDS_IN)
    report(connection, left_since(connection, turn.at), {str(message.contact.msisdn): turn.fate})


def _note(turn: Turn, connection: Connection, agent: User) -> None:
    conversation = _conversation(turn, connection)
    inbox.add_note(contact=conversation.contact, conversation=conversation, user=agent, text=turn.text, now=turn.at)


def _read(turn: Turn, connection: Connection, _agent: User) -> None:
    conversation = _conversation(turn, connection)
    inbox.nothing_to_answer(conversation=conversation, unread=conversation.unread)


def _take(turn: Turn, connection: Connection, agent: User) -> None:
    inbox.assign(conversation=_conversation(turn, connection), owner=agent, user=agent, now=turn.at)


def _conversation(turn: Turn, connection: Connection) -> Conversation:
    address = {"msisdn": number_of(turn.who)} if isinstance(turn.who, int) else {"wa_id": turn.who}
    contact = Contact.objects.get(**address)
    return Conversation.objects.get(contact=contact, connection=connection, channel=turn.channel)


_ACTS = {"writes": _write, "answers": _answer, "notes": _note, "reads": _read, "takes": _take}
