"""What a walk through the quickstart needs, and where it says what happened."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from memoram_local.demo.compare import Stocktaking, difference, expected_tags, is_jwe
from memoram_local.demo.people import Approver
from memoram_local.demo.probes import lines_with_phrase, lines_with_tag
from memoram_local.demo.report import counted, say_item, say_step, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from memoram_async import ApprovalProgress, Memory, OAuthTokens, Secret
    from memoram_local.demo.memories import FileMemory
    from memoram_local.demo.people import App, Person
    from memoram_local.demo.probes import Probes

APP_NAME: Final = "Memoram demo"
REASON: Final = "Shows you what the SDK does"
REWRITTEN: Final = "Rewritten by the demo. \u2713"
REWRITTEN_TAG: Final = "rewritten by the demo"

MOST_FAILURES: Final = 20
"""So many memories may fail to be stored before the demo gives up."""

_APPROVAL_SECONDS: Final = 30.0
_PAGE_SIZE: Final = 100
_PAGE_OCTETS: Final = 24 * 1_048_576


class MissingError(Exception):
    """The platform left out something without which the demo cannot go on."""


@dataclass(slots=True)
class Outcome:
    """What came of a walk.

    Attributes:
        equal: How many memories came back equal to their lines.
        problems: What differed or failed, a sentence each.
    """

    equal: int = 0
    problems: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Stage:
    """One walk's surroundings.

    Attributes:
        url: The platform's origin.
        memories: The file's memories.
        probes: What to search for in them.
        app: The application that a developer registered for this walk.
        user: The person whose memories they will be.
        interactive: Whether the person at the keyboard is to approve.
        outcome: What came of it so far.
    """

    url: str
    memories: Sequence[FileMemory]
    probes: Probes
    app: App
    user: Person
    interactive: bool = False
    outcome: Outcome = field(default_factory=Outcome)
    _since: float = field(default_factory=time.monotonic, init=False)

    @property
    def api_url(self) -> str:
        """The API's base URL."""
        return f"{self.url}/api/v1"

    @property
    def patience(self) -> float | None:
        """Seconds to wait for the approval; None for ever."""
        return None if self.interactive else _APPROVAL_SECONDS

    @property
    def page_size(self) -> int:
        """How many memories to list at once: so many that a page of the longest ones can still be read."""
        longest = max(map(_octets_on_the_wire, self.memories))
        return max(1, min(_PAGE_SIZE, _PAGE_OCTETS // (longest + 1024)))

    def tell_api_key(self) -> None:
        """Step 1 is done."""
        prefix = self.app.api_key.reveal()[:8]
        say_step(1, "API key", f"{prefix}..., shown once by the developer portal")

    def tell_jwt(self, *, without: int) -> None:
        """Step 2 is done; `without` is the API's status for a call without a JWT."""
        say_step(2, "JWT", f"got by the SDK with the key: its first call passed ({without} without)")
        if without != 401:
            self.outcome.problems.append(f"the API answered {without} instead of 401 to a call without a JWT")

    def tell_authorization_url(self, url: str) -> None:
        """Step 3 is done."""
        say_step(3, "Authorization URL", f"{url.partition('?')[0]}?... with PKCE and state")

    def tell_consent(self) -> None:
        """Step 4 is done."""
        say_step(4, "Consent", f"{self.user.email} pressed Allow on the consent page")

    def tell_code(self) -> None:
        """Step 5 is done."""
        say_step(5, "Code", f"came back to {self.app.redirect_uri} with our state")

    def tell_tokens(self, tokens: OAuthTokens) -> Secret:
        """Step 6 is done; the user's memory key.

        Raises:
            MissingError: The tokens came without it.
        """
        if tokens.memory_key is None:
            raise MissingError("the tokens came without a memory key")
        say_step(6, "Tokens", "the code's exchange brought tokens and the user's memory key")
        return tokens.memory_key

    def tell_status(self, status: str) -> None:
        """Step 7 is done, or step 8, as the status says."""
        if status == "pending":
            self._since = time.monotonic()
            say_step(7, "Access request", f'"{REASON}" ({status})')
            if self.interactive:
                say_item("Your turn", f'approve "{APP_NAME}" on the dashboard')
                say_item("", f"page      {self.url}/dashboard")
                say_item("", f"email     {self.user.email}")
                say_item("", f"password  {self.user.password.reveal()}")
                say_item("", "The demo waits until you decide; Ctrl-C stops it.")
        elif status == "approved":
            who = "you" if self.interactive else self.user.email
            waited = time.monotonic() - self._since
            say_step(8, "Approval", f"by {who} on the dashboard, noticed after {waited:.1f} s")

    def tell_progress(self, progress: ApprovalProgress) -> None:
        """The same, for a wait that tells how it comes along."""
        if progress.status is not None:
            self.tell_status(progress.status)

    def approval(self) -> AbstractContextManager[object]:
        """Somebody approves meanwhile: the person at the keyboard, or a user whom the demo plays."""
        return contextlib.nullcontext() if self.interactive else Approver(self.user)

    def tell_credentials(self, key_version: int) -> None:
        """Step 9 is done."""
        say_step(9, "Credentials", f"the user's encryption key, version {key_version}")

    def failed(self, memory: FileMemory, error: Exception) -> bool:
        """Note that a memory could not be stored; whether that happened too often to go on."""
        self.outcome.problems.append(f"line {memory.line} could not be stored: {error}")
        return len(self.outcome.problems) >= MOST_FAILURES

    def tell_stored(self, number: int, *, seconds: float) -> None:
        """The memories were stored."""
        say_item("Store", f"{counted(number, 'memory', 'memories')} encrypted and sent in {seconds:.1f} s")

    def tell_blob(self, memory: FileMemory, *, stored: str | None, read: Memory) -> None:
        """One memory as the server holds it, and as the SDK reads it."""
        held = stored or ""
        say_item("On the server", f"{shown(held, columns=38)} ({len(held)} characters)")
        say_item("Decrypted", shown(read.content))
        if not (is_jwe(stored) and read.encrypted):
            self.outcome.problems.append(f"line {memory.line} is not encrypted on the server")
        self._check(memory, read)

    def tell_list(self, stocktaking: Stocktaking, *, seconds: float) -> None:
        """All memories were listed."""
        stocktaking.finish()
        self.outcome.equal += stocktaking.equal
        self.outcome.problems += stocktaking.problems
        how = "equal to the file" if not stocktaking.problems else "equal to the file, OTHERS NOT"
        number = counted(stocktaking.equal, "memory", "memories")
        say_item("List", f"{number} read, decrypted and {how}, in {seconds:.1f} s")

    def tell_title_search(self, phrase: str, found: Iterable[FileMemory]) -> None:
        """Titles were searched."""
        lines = [memory.line for memory in found]
        where = f"in a title: {len(lines)} found"
        say_item("Search", f'"{shown(phrase, columns=28)}", {where}')
        self._check_lines("search", lines, lines_with_phrase(self.memories, phrase))

    def tell_content_search(self, phrase: str, found: Iterable[FileMemory]) -> None:
        """Contents were searched, which the server cannot do."""
        lines = [memory.line for memory in found]
        where = f"only in a content: {len(lines)} found, as it is encrypted"
        say_item("", f'"{shown(phrase, columns=20)}", {where}')
        self._check_lines("search", lines, set())

    def tell_no_search(self) -> None:
        """There was nothing to search for."""
        say_item("Search", "skipped: no title in the file has words to search for")

    def tell_tag_filter(self, tag: str, found: Iterable[FileMemory]) -> None:
        """The list was filtered."""
        lines = [memory.line for memory in found]
        say_item("Filter by tag", f'"{shown(tag, columns=28)}": {len(lines)} found')
        self._check_lines("filter", lines, lines_with_tag(self.memories, tag))

    def tell_update(self, expected: FileMemory, actual: Memory) -> None:
        """A memory was rewritten and read again."""
        say_item("Update", f"line {expected.line}: {shown(actual.content, columns=30)}")
        self._check(expected, actual)

    def tell_delete(self, memory: FileMemory, *, gone: bool) -> None:
        """A memory was deleted and asked for again."""
        say_item("Delete", f"line {memory.line}: {'no longer there' if gone else 'STILL THERE'}")
        if not gone:
            self.outcome.problems.append(f"line {memory.line} is still there after it was deleted")

    def tell_tags(self, names: Sequence[str | None], *, kept: Iterable[FileMemory]) -> None:
        """The tags were listed.

        Args:
            names: What was listed.
            kept: The memories that are still stored. Whether tags outlive their last memory is the
                service's choice.
        """
        say_item("Tags", f"{counted(len(names), 'tag', 'tags')} listed")
        must = {name for memory in kept for name in expected_tags(memory)}
        may = {name for memory in self.memories for name in memory.tags} | {REWRITTEN_TAG}
        listed = set(names)
        if not must <= listed <= may or len(listed) != len(names):
            self.outcome.problems.append("the tags that were listed are not those of the memories")

    def _check(self, expected: FileMemory, actual: Memory) -> None:
        problem = difference(expected, actual)
        if problem is not None:
            self.outcome.problems.append(problem)

    def _check_lines(self, what: str, found: Sequence[int], expected: set[int]) -> None:
        stored = {memory.line for memory in self.memories}
        if sorted(found) != sorted(expected & stored):
            self.outcome.problems.append(
                f"a {what} found {len(found)} instead of {len(expected)}, or not the right ones"
            )


def by_id(memories: Mapping[str, FileMemory], ids: Iterable[str]) -> list[FileMemory]:
    """The lines of those memories that were found; others are left to the list to complain about."""
    return [memories[memory_id] for memory_id in ids if memory_id in memories]


def _octets_on_the_wire(memory: FileMemory) -> int:
    """At most: base64url makes four characters of three octets, JSON as many as six of one character."""
    texts = (memory.title or "", memory.summary or "", memory.source or "", *memory.tags)
    return 4 * len(memory.content.encode()) // 3 + 6 * sum(map(len, texts))
