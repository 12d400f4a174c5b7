"""What is wrong with a template's text, in the words of whoever writes it. Pure."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging.errors import Refused
from messaging.reasons import WORDS_OF_ITS_OWN
from messaging.text import (
    MAX_PLACEHOLDERS,
    Flaw,
    compile_body,
    find_forbidden,
    find_malformed,
    has_own_words,
    is_fit,
    placeholders,
)

BODY_LIMIT = 4096  # characters, as the column has them


class Unfit(Refused):
    """A text cannot be a template like this; `detail["problems"]` lists why, in words."""

    code = "unfit_text"

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems), problems=problems)


def body_problems(body: str) -> list[str]:
    """What has to be mended before this text can be saved; it is normalised already."""
    if not body.strip():
        return [_("There is no text yet.")]
    problems = [_at_line(body, flaw, _forbidden(flaw)) for flaw in find_forbidden(body)]
    problems += [_at_line(body, flaw, _malformed(flaw)) for flaw in find_malformed(body)]
    if not has_own_words(body):
        problems.append(str(WORDS_OF_ITS_OWN))
    if len(compile_body(body).names) > MAX_PLACEHOLDERS:
        problems.append(_("There are more than %(most)s placeholders.") % {"most": MAX_PLACEHOLDERS})
    if (over := len(body) - BODY_LIMIT) > 0:
        problems.append(ngettext("The text is %s letter too long.", "The text is %s letters too long.", over) % over)
    return problems


def sample_problems(body: str, samples: Mapping[str, str]) -> list[str]:
    """Which placeholders have no sample, or one that they cannot stand for."""
    return list(unfit_samples(body, samples).values())


def unfit_samples(body: str, samples: Mapping[str, str]) -> dict[str, str]:
    """The same by placeholder, for whoever says it at the sample's own field."""
    unfit = [(name, samples.get(name, "")) for name in placeholders(body) if not is_fit(samples.get(name, ""))]
    return {name: _sample_problem(name, sample) for name, sample in unfit}


def _sample_problem(name: str, sample: str) -> str:
    if not sample:
        return _("Give a sample for {{%(name)s}}.") % {"name": name}
    return _("The sample for {{%(name)s}} is too long.") % {"name": name}


def _forbidden(flaw: Flaw) -> str:
    return _("there is a letter that nobody sees (%(name)s): delete it.") % {"name": flaw.name}


def _malformed(flaw: Flaw) -> str:
    return _("%(found)s is no placeholder: write {{name}} with small letters, digits and _.") % {"found": flaw.found}


def _at_line(body: str, flaw: Flaw, words: str | Promise) -> str:
    return _("Line %(line)s: %(words)s") % {"line": body.count("\n", 0, flaw.position) + 1, "words": words}
