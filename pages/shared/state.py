"""One state for a page: its record of fields lives in the session, in the link and in the controls at once.

A run of the script begins with `open`, which takes the link when somebody asks for it, else the session, and ends with
`write`, which makes the browser's address the link to what is shown: one entry of the browser's history for each view.
Callbacks change the record with `change`; controls come from `control` and `panel`.

Every message of the browser carries the address as the browser knows it. A click that is made before the page's latest
address has arrived carries an older one: that is an echo, and taking it for a wish would undo the click. Back and
Forward carry an older one too, and are a wish: Streamlit says which runs come from them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared import fields
from pages.shared.component import BrowserComponent
from pages.shared.control import control, reading
from pages.shared.text import plain

Link = dict[str, str]
R = TypeVar("R")
ECHO_SECONDS = 5.0
LOST_SECONDS = 1.5
KEPT = ("present",)  # parameters that belong to no page and stay
_ON = "_page"
_REMEMBERED = 16
_SENT_AGAIN = 3
_ADDRESS = BrowserComponent("link", __file__, js=["link.js"])


@dataclass
class Written:
    """What a page wrote: the latest link, earlier ones, when, whether it was sent and the browser has shown to know it.

    It is changed in place: the session state may give way to a click at any look, and then nothing would be kept.
    """

    latest: Link = field(default_factory=dict)
    earlier: tuple[Link, ...] = ()
    at: float = 0.0
    sent: bool = False
    known: bool = False
    again: int = 0
    came_back: bool = False
    replacement: str = ""
    stamp: int = 0

    def take(self, link: Link, *, known: bool) -> None:
        """The page shows `link` from now on; known: the browser has it, else it has to be told."""
        if link != self.latest:
            self.earlier = (self.latest, *self.earlier)[:_REMEMBERED]
            self.sent, self.again = False, 0
        self.latest, self.at = link, time.monotonic()
        self.sent, self.known = self.sent or known, known

    def echo(self, link: Link) -> bool:
        """Is this an address from before the latest one, of a browser that may not know better?"""
        lately = time.monotonic() - self.at < ECHO_SECONDS
        return lately and not self.known and link in self.earlier

    def lost(self, link: Link) -> bool:
        """Was the latest link sent a while ago, and the browser still has another, `link`? It is asked a few times."""
        self.known = self.known or link == self.latest
        late = time.monotonic() - self.at > LOST_SECONDS
        if not self.sent or self.known or not late or self.again >= _SENT_AGAIN:
            return False
        self.sent, self.again, self.at = False, self.again + 1, time.monotonic()
        return True


def _went_back_or_forward() -> bool:
    """Does this run come from the browser's Back or Forward?"""
    context = get_script_run_ctx(suppress_warning=True)
    return bool(getattr(context, "is_history_navigation", False))


class PageState(Generic[R]):
    """The state of `page` with the fields of the frozen `record`; names in links begin with `prefix`.

    leading: fields that say what the others' blanks mean, see `home`.
    """

    def __init__(self, page: str, record: type[R], prefix: str, leading: tuple[str, ...] = ()) -> None:
        self.page, self.prefix, self.leading = page, prefix, leading
        self.blank: R = record()
        self.parameters = fields.names_in_links(record, prefix)
        self.kinds = fields.kinds(record)

    def home(self, record: R) -> R:
        """What a link with the leading fields of `record` means where it says no more; a page may override it."""
        return replace(self.blank, **{name: getattr(record, name) for name in self.leading})  # type: ignore[type-var]

    def taken(self, old: R | None, new: R) -> None:
        """Called when a link put `new` on the page (old: None on a first visit); a page may override it."""

    # the record

    @property
    def now(self) -> R:
        """The record of this session; before the page was opened, the blank one."""
        found: R = st.session_state.get(self._key("fields"), self.blank)
        return found

    @property
    def opened(self) -> bool:
        """Has this session been on the page?"""
        return self._key("fields") in st.session_state

    def put(self, record: R) -> None:
        """Show another record."""
        st.session_state[self._key("fields")] = fields.mended(record)

    def change(self, **values: Any) -> None:
        """Show the record with other values; what is not accepted becomes the nearest that is."""
        self.put(replace(self.now, **values))  # type: ignore[type-var]

    # the link

    def open(self) -> R:
        """The record to show: the link's when somebody asks for it, else the session's. The first call of a run.

        A link that had to be put right is said in one sentence.
        """
        written = self._written()
        link, back = self._address(), _went_back_or_forward()
        arrived = st.session_state.get(_ON) != self.page
        st.session_state[_ON] = self.page
        written.came_back = arrived and self.opened and not link and not back
        if link == written.latest:
            written.known = True
        asked = bool(link) and link != written.latest and (arrived or not written.echo(link))
        if not self.opened or back or asked:
            record, clauses = self.read(link)
            old = self.now if self.opened else None
            written.take(link, known=True)
            st.session_state[self._key("fields")] = record
            self.taken(old, record)
            if clauses:
                st.warning(plain(f"The link was put right: {'; '.join(clauses)}."), icon=":material/link_off:")
        return self.now

    def read(self, link: Mapping[str, str]) -> tuple[R, list[str]]:
        """The record that a link means, and what had to be put right."""
        first, clauses = fields.read_link(link, self.blank, self.prefix, self.leading)
        others = [name for name in self.kinds if name not in self.leading]
        record, more = fields.read_link(link, self.home(first), self.prefix, others)
        return record, clauses + more

    def link(self, record: R | None = None) -> Link:
        """The parameters of the link to `record`, to what is shown by default."""
        record = self.now if record is None else record
        home: Any = self.home(record)
        blanks = {name: getattr(self.blank, name) for name in self.leading}
        return fields.write_link(record, replace(home, **blanks), self.prefix)

    def address(self, **more: str) -> str:
        """The whole address of what is shown, or its query alone where the browser's address is not known."""
        query = urlencode(self.link() | self._kept() | more, safe=",~")
        parts = urlsplit(st.context.url or "")
        return urlunsplit((parts.scheme, parts.netloc, parts.path, query, "")) if parts.netloc else f"?{query}"

    def write(self, *, under_way: bool = False) -> None:
        """Make the browser's address the link to what is shown: a new entry of its history when the view is new.

        under_way: a drag is not over yet; the link waits for its end, so that the drag is one step.

        Whoever comes back by the menu finds the view as it was; that is no new view, so the entry is replaced.
        """
        written, wanted, address = self._written(), self.link(), self._address()
        if under_way:
            pass
        elif wanted == address:
            written.take(wanted, known=True)
        elif wanted != written.latest or not written.sent or written.came_back:
            written.take(wanted, known=False)
            if written.came_back:
                written.replacement, written.stamp = f"?{urlencode(self._kept() | wanted)}", written.stamp + 1
            else:
                st.query_params.from_dict({**self._kept(), **wanted})
            written.sent = True
        kept = urlencode(self._kept())
        _ADDRESS(
            f"{self.page}_address",
            {"page": self.page, "old": f"?{kept}" if kept else "", "new": written.replacement, "stamp": written.stamp},
        )

    def lost(self) -> bool:
        """Did the last answer not reach the browser? Then whoever asks, a tick, has the whole page run once more.

        A busy server drops what a run has still to send when the next request comes just as the run ends (Streamlit
        1.67 then makes a new runner, and no longer listens to the old one): picture, numbers and address would stay as
        they were until the next click, and that one would carry an old address.
        """
        return self._written().lost(self._address())

    # the controls

    def control(self, name: str, place: Any = st, then: Callable[[], Any] | None = None, **more: Any) -> None:
        """Draw the control of a field at `place`; `then` is called after a change of the visitor's.

        A field of several controls has its first one at `place`, and the others below it, three beside each other.
        more: what its kind's `draw` takes; `shown`: what it shows, where that is not the field's value.
        """
        kind = self.kinds[name]
        if kind.when is None or kind.when(self.now):
            pieces = kind.pieces(more.pop("shown", getattr(self.now, name)))
            top = place.container() if len(pieces) > 1 else place
            columns = place.columns(min(len(pieces) - 1, 3)) if len(pieces) > 1 else []
            for i, (piece, (one, value)) in enumerate(pieces.items()):
                key, first = control(self.parameters[name] + piece, list(value) if isinstance(value, tuple) else value)
                where = columns[(i - 1) % 3] if i else top
                usual = {"key": key, "on_change": self._changed, "args": (name, piece, then)}
                one.draw(where, first, **(usual | more))

    def panel(self, title: str, place: Any = st, columns: int = 1) -> None:
        """Draw the controls of all fields of a panel, in the record's order."""
        named = [name for name, kind in self.kinds.items() if kind.panel == title]
        shown = [name for name in named if (when := self.kinds[name].when) is None or when(self.now)]
        places = place.columns(columns) if columns > 1 else [place]
        for i, name in enumerate(shown):
            self.control(name, places[i % columns])

    def chosen(self, name: str, value: Any) -> None:
        """The visitor has chosen a value for a field; a page may override what follows from it."""
        self.change(**{name: value})

    def _changed(self, name: str, piece: str, then: Callable[[], Any] | None) -> None:
        new = reading(self.parameters[name] + piece)
        self.chosen(
            name, self.kinds[name].joined(getattr(self.now, name), piece, tuple(new) if isinstance(new, list) else new)
        )
        if then is not None:
            then()

    # what lies in the session and in the address

    def _key(self, name: str) -> str:
        return f"{self.page}_{name}"

    def _written(self) -> Written:
        found: Written = st.session_state.setdefault(self._key("written"), Written())
        return found

    def _address(self) -> Link:
        """The part of the address that is this page's."""
        given = st.query_params
        return {name: given[name] for name in self.parameters.values() if name in given}

    def _kept(self) -> Link:
        return {name: st.query_params[name] for name in KEPT if name in st.query_params}
