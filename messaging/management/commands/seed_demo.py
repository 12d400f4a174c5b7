from typing import Any

from django.core.management.base import BaseCommand

from messaging.approval import post_sandbox_templates
from messaging.clock import db_now
from messaging.connections import check_balance
from messaging.demo.history import open_windows, tell_history
from messaging.demo.players import Cast, seed_connection, seed_users
from messaging.demo.story import tell


class Command(BaseCommand):
    help = "Make the demo's users, its connection to the sandbox and its story, or bring them up to date."

    def handle(self, **_options: Any) -> None:
        now = db_now()
        users = seed_users()
        connection = seed_connection(users["admin"], now)
        tell(users["composer"], users["approver"], users["agent"], now)
        if connection:
            cast = Cast(users["composer"], users["approver"], connection, users["agent"], users["admin"])
            if tell_history(cast, now):
                check_balance(connection=connection, now=now)
            open_windows(connection, now)
        post_sandbox_templates(db_now())
        where = connection.base_url if connection else "none, since SANDBOX_URL is not set"
        self.stdout.write(f"Users: {', '.join(users)}. Sandbox: {where}.")
