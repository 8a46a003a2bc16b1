"""What the generator says about a source that it cannot mirror."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818 - the source is at fault, and this is the answer to it
    """The async source holds something that the mirror has no form for.

    The generator stops rather than guess: a facade that is almost right would be found out by users.
    """
