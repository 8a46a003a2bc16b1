"""Models that know which call brought them.

Annotations are evaluated here: attrs copies them to the constructors of models in other modules, where their
names would mean nothing.
"""

import attrs

from memoram_async.core.info import ResponseInfo
from memoram_async.models.plain_data import PlainData


@attrs.frozen(kw_only=True, eq=False)
class Answered(PlainData):
    """A part of an answer.

    Attributes:
        info: How the call went that brought it; None on the items of a page, whose page has it.
    """

    info: ResponseInfo | None = attrs.field(default=None, repr=False, eq=False, metadata={"ours": True})
