"""What plans and records say in English, given in Chinese: phrases with `{places}` for values.

Plans and records hold one language, so that the same input gives the same bytes and old records can
be read. A phrase is recognised whole and its values are put into the other language's; what is put
together of several phrases is taken apart at its joints. What is not known stays as it stands.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NESTED = frozenset({"why", "what", "also", "said", "where", "list", "who", "field"})
"""Places that hold phrases themselves; all others hold names and figures, which stay, and reach
over no joint that is looser than a comma."""
ONE_WORD = frozenset({"mode", "name", "number", "seconds", "metres", "litres", "share", "minutes"})
"""Places that hold one word or figure."""
JOINTS = (("; ", "；"), (": ", "："), (", ", "，"))
"""Between phrases, loosest first."""
_PLACE = re.compile(r"\{(\w+)\}")
_REMARK = re.compile(r"(.+?) \((.*)\)", re.DOTALL)
_WORDS = re.compile(r"[A-Za-z]{2,}[^A-Za-z]+[A-Za-z]{2,}")
_SAID = re.compile(r"(?:(?<= )|^)'[^']*'(?=[,;)]|$)")
_TIED = "\x01"
_DEEPEST = 8


class Phrasebook:
    """Phrases of several tables: `{English: Chinese}`, the same places in both."""

    def __init__(self, *tables: Mapping[str, str]) -> None:
        phrases = {english: chinese for table in tables for english, chinese in table.items()}
        self.exact = {english: text for english, text in phrases.items() if "{" not in english}
        # The most telling first: of two that fit, the one with more words of its own.
        self._open = sorted(
            ((e, c) for e, c in phrases.items() if "{" in e),
            key=lambda phrase: -len(_PLACE.sub("", phrase[0])),
        )

    @property
    def letters(self) -> set[str]:
        """Every letter of the Chinese phrases and of what joins them."""
        said = [*self.exact.values(), *(chinese for _, chinese in self._open)]
        return set("".join(said) + "".join(joint for _, joint in JOINTS) + "（）“”")

    def told(self, text: str) -> str:
        """A text in Chinese; as it stands where it is not known."""
        # What a vehicle said stands in quotes: it is not taken apart.
        whole = _SAID.sub(lambda said: said[0].replace(" ", _TIED), text)
        return (self._found(whole, _DEEPEST) or whole).replace(_TIED, " ")

    def _found(self, text: str, depth: int) -> str | None:
        """The same, None where nothing of it is known."""
        if depth == 0:
            return None
        if text in self.exact:
            return self.exact[text]
        for english, chinese in self._open:
            # Most are told apart by how they begin, without making their pattern.
            if text.startswith(english[: english.index("{")]):
                found = _pattern(english).fullmatch(text)
                if found:
                    return chinese.format(
                        **{
                            name: self._quoted(value, depth) if _kind(name) in NESTED else value
                            for name, value in found.groupdict().items()
                        }
                    )
        return self._apart(text, depth)

    def _apart(self, text: str, depth: int) -> str | None:
        """A text taken apart at its loosest joint, or before a remark in brackets."""
        for joint, chinese in JOINTS:
            if joint in text:
                parts = text.split(joint)
                found = [self._found(part, depth - 1) for part in parts]
                if any(found):
                    return chinese.join(
                        one if one is not None else _in_quotes(part)
                        for one, part in zip(found, parts, strict=True)
                    )
        remark = _REMARK.fullmatch(text)
        if remark and (before := self._found(remark[1], depth - 1)) is not None:
            return f"{before}（{self._quoted(remark[2], depth)}）"
        return None

    def _quoted(self, text: str, depth: int) -> str:
        """A phrase within another; words that are not ours stand in quotes."""
        found = self._found(text, depth - 1)
        return _in_quotes(text) if found is None else found


def _in_quotes(text: str) -> str:
    return f"“{text}”" if _WORDS.search(text) and text[:1] not in "'\"“" else text


def _kind(name: str) -> str:
    """What a place holds: `why2` is another `why`."""
    return name.rstrip("0123456789")


@cache
def _pattern(english: str) -> re.Pattern[str]:
    parts = _PLACE.split(english)
    made = [
        re.escape(part) if number % 2 == 0 else f"(?P<{part}>{_what_fits(part)})"
        for number, part in enumerate(parts)
    ]
    return re.compile("".join(made), re.DOTALL)


def _what_fits(name: str) -> str:
    """A pattern for what a place may hold."""
    if _kind(name) in NESTED:
        return ".+?"
    return r"\S+?" if _kind(name) in ONE_WORD else "(?:(?!; |: ).)+?"
