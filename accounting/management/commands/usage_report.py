"""``manage.py usage_report``: a month's usage, printed or mailed."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.core.management.base import CommandError, CommandParser
from django.core.validators import validate_email
from django.forms import ValidationError
from django.template.loader import render_to_string

from accounting.management.base import PlainCommand
from accounting.models import Team
from accounting.reports import Filters, InvalidPeriod, Period, Selection, Viewer
from accounting.reports.monthly import MonthlyReport, monthly


def month(text: str) -> Period:
    """``2026-03``. Raises ArgumentTypeError."""
    try:
        return Period.month(of=date.fromisoformat(f"{text}-01"))
    except (ValueError, InvalidPeriod):
        raise ArgumentTypeError(f"'{text}' is no month (2026-03)") from None


def address(text: str) -> str:
    """Raises ArgumentTypeError."""
    try:
        validate_email(text)
    except ValidationError:
        raise ArgumentTypeError(f"'{text}' is no mail address") from None
    return text


class Command(PlainCommand):
    help = "Print a month's usage, or mail it as text and HTML. Run it from cron on the first of a month."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", type=month, help="as 2026-03; default: last month")
        parser.add_argument("--team", help="one team's usage alone")
        parser.add_argument("--mail-to", type=address, nargs="+", default=[], metavar="ADDRESS")

    def handle(self, *args: Any, **options: Any) -> None:
        period = options["month"] or Period.month().previous()
        filters = Filters()
        if options["team"]:
            team = Team.objects.filter(name=options["team"]).first()
            if team is None:
                raise CommandError(f"There is no team '{options['team']}'.")
            filters = Filters(team_id=team.pk)
        everything = Viewer(None, is_admin=True)  # whoever may run commands here may read the database
        report = monthly(Selection(everything, period, filters))
        title = f"Usage in {period.first:%B %Y}" + (f", team {options['team']}" if options["team"] else "")
        context = {"title": title, "report": report}
        text = render_to_string("mail/monthly_report.txt", context)
        if not options["mail_to"]:
            self.stdout.write(text)
            return
        mail = EmailMultiAlternatives(f"[Tollgate] {title}: {_cost(report)}", text, to=options["mail_to"])
        mail.attach_alternative(render_to_string("mail/monthly_report.html", context), "text/html")
        try:
            mail.send()
        except OSError as error:  # smtplib's errors are OSErrors too
            raise CommandError(f"The report could not be mailed ({error}). Check EMAIL_URL.") from error
        self.stdout.write(f"Mailed to {', '.join(options['mail_to'])}.")


def _cost(report: MonthlyReport) -> str:
    return f"${report.comparison.now.cost:,.2f}"
