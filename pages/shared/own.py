"""A network of the visitor's own on the pages of digits: its upload, its accuracy, the remedies, what is kept of it.

It is read in a process of its own (`importers.apart`) and lives in this visitor's session only. A link carries its
digest; whoever opens such a link elsewhere is asked for the file.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared import engine
from pages.shared.kinds import Choice, Unreadable
from pages.shared.places import Busy, heavy
from pages.shared.state import PageState
from pages.shared.text import plain, say_problem
from pages.shared.uploads import count_upload
from relucert_core.errors import InvalidInput, RelucertError

if TYPE_CHECKING:
    from relucert_core.importers.shipped import ModelCard
    from relucert_core.network import Network

READ = ("onnx", "safetensors", "pth", "pt", "nnet")
MEGABYTES = 64
MNIST_SCALE = (-0.1307 / 0.3081, (1 - 0.1307) / 0.3081)  # black and white of MNIST with mean 0 and deviation 1
SCALES = {"0 to 1": (0.0, 1.0), "0 to 255": (0.0, 255.0), "MNIST's mean 0, deviation 1": MNIST_SCALE}
BEST = {"largest score": "max", "smallest score": "min"}
BEST_LABEL, BEST_UNSAID = "The class is the", "largest score; a .nnet file must be told"
_NETWORKS, _FILE, _WANTED, _PROBLEM = "own_networks", "own_file", "own_wanted", "own_problem"
_KEPT = 2
_NAME = re.compile(r"own-[0-9a-f]{12}")
_WEAK = 0.5


@dataclass(frozen=True, eq=False)
class Own:
    """A network of the visitor's own: its file's name, the options of `read_network` that it was read with, its card.

    right: the share of the shipped digits that it reads right. text: its reading card, line by line.
    """

    file: str
    options: dict[str, Any]
    net: Network
    card: ModelCard
    right: float
    text: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class File:
    """The file that came last, with what lay beside it."""

    name: str
    data: bytes
    beside: dict[str, bytes]


class NetworkChoice(Choice):
    """A choice among networks that remembers which one of somebody's own a link asks for."""

    def read(self, text: str) -> Any:
        """The network by its name or title."""
        if _NAME.fullmatch(text) and text not in self.titles:
            st.session_state[_WANTED] = text
            raise Unreadable(self.default)
        return super().read(text)


def own_networks() -> dict[str, Own]:
    """The networks of this visitor's own, by the names that links give them."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return {}
    found: dict[str, Own] = st.session_state.get(_NETWORKS, {})
    return found


def titles() -> dict[str, str]:
    """Names and titles of the visitor's own networks."""
    return {name: f"your own: {own.file[:40]}" for name, own in own_networks().items()}


def network(name: str) -> Network:
    """A network by its name: the visitor's own, else a shipped one."""
    own = own_networks().get(name)
    return engine.network(name) if own is None else own.net


def card(name: str) -> ModelCard:
    """The card of a network by its name."""
    own = own_networks().get(name)
    return engine.cards()[name] if own is None else own.card


def reading_code(name: str) -> str:
    """The Python that reads the network."""
    own = own_networks().get(name)
    if own is None:
        return f'rc.load_model("{name}")'
    given = "".join(f", {key}={value!r}" for key, value in own.options.items())
    read = f"rc.read_network({own.file!r}{given})"
    bordered = own.net.card is not None and math.prod(own.net.card.input_shape) != own.net.inputs
    return f"for_digits({read})" if bordered else read


def imports(reading: str) -> str:
    """The further import that such a line needs, if any."""
    return "from relucert_core.importers.for_digits import for_digits\n" if reading.startswith("for_digits(") else ""


def panel(state: PageState[Any]) -> None:
    """Upload a network, say what its file leaves open, see how well it reads the shipped digits, mend its scale."""
    wanted = st.session_state.get(_WANTED)
    problem = st.session_state.pop(_PROBLEM, None)
    shown = own_networks().get(state.now.net)
    with st.expander("Your own network", expanded=bool(wanted or problem or (shown and shown.right < _WEAK))):
        if wanted and wanted not in own_networks():
            st.info(
                f"The link shows a network of somebody's own, {plain(wanted)}. Its file does not travel in the link: "
                "upload it again here."
            )
        if problem:
            say_problem(problem)
        if shown is not None:
            _report(state, shown)
        _upload(state)


def _upload(state: PageState[Any]) -> None:
    st.file_uploader(
        f"A network for 28 x 28 pixels: {', '.join('.' + kind for kind in READ)}, up to {MEGABYTES} MB; an .onnx with "
        "its .onnx.data together",
        type=[*READ, "data"],
        accept_multiple_files=True,
        key=_key(state, "file"),
        on_change=_uploaded,
        args=(state,),
        max_upload_size=MEGABYTES,
    )
    again: dict[str, Any] = {"on_change": _read_again, "args": (state,)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.checkbox("A table of weights has a ReLU between its layers", key=_key(state, "relu"), **again)
        st.selectbox("Its pixels run", list(SCALES), key=_key(state, "scale"), width=260, **again)
        choice: dict[str, Any] = {"index": None, "placeholder": BEST_UNSAID, "width": 320}
        st.selectbox(BEST_LABEL, list(BEST), key=_key(state, "best"), **choice, **again)
        st.text_input("Order of its layers, where asked for", key=_key(state, "order"), width=260, **again)
    st.caption("It is read in a process of its own, lives in your session only and is gone with it.")


def _report(state: PageState[Any], own: Own) -> None:
    """What the network is, and how well it reads the shipped digits."""
    counted = sum(label is not None for label in own.card.labels)
    digits = "shipped digits" if counted == len(own.card.labels) else f"shipped digits 0 to {counted - 1}"
    st.markdown(f"**{plain(own.file)}** reads {100 * own.right:.1f} % of the {digits} right.")
    if own.right < _WEAK:
        st.warning("That is under 50 %. Do its pixels run on another scale, or do its classes come in another order?")
        with st.container(horizontal=True):
            for words in list(SCALES)[1:]:
                st.button(f"Its pixels run {words}", on_click=_rescale, args=(state, words))
    st.markdown("\n".join(f"- {plain(line)}" for line in own.text))


def _key(state: PageState[Any], name: str) -> str:
    return f"{state.page}_own_{name}"


def _uploaded(state: PageState[Any]) -> None:
    files = {file.name: file.getvalue() for file in st.session_state.get(_key(state, "file")) or []}
    if not files:
        return
    try:
        count_upload(sum(map(len, files.values())))
    except InvalidInput as problem:
        st.session_state[_PROBLEM] = str(problem)
        return
    main = [name for name in files if name.lower().rpartition(".")[2] in READ]
    if len(main) != 1:
        st.session_state[_PROBLEM] = "Upload one network at a time, with its .onnx.data where it has one."
        return
    beside = {name: data for name, data in files.items() if name != main[0]}
    st.session_state[_FILE] = File(main[0], files[main[0]], beside)
    _read_again(state)


def _rescale(state: PageState[Any], words: str) -> None:
    st.session_state[_key(state, "scale")] = words
    _read_again(state)


def _read_again(state: PageState[Any]) -> None:
    """Read the file that came last with the options as they are now, and show it; or keep in a sentence why not."""
    file: File | None = st.session_state.get(_FILE)
    if file is None:
        return
    try:
        own = read(file, _options(state, file))
    except (RelucertError, Busy) as problem:
        st.session_state[_PROBLEM] = str(problem)
        return
    name = own.card.name
    kept = {key: value for key, value in own_networks().items() if key != name}
    st.session_state[_NETWORKS] = dict([*list(kept.items())[1 - _KEPT :], (name, own)])
    st.session_state.pop(_WANTED, None)
    state.change(net=name)


def _options(state: PageState[Any], file: File) -> dict[str, Any]:
    """The options of `read_network` that the controls stand for; what is usual is left out."""
    options: dict[str, Any] = {}
    if st.session_state.get(_key(state, "relu")):
        options["activation"] = "relu"
    scale = st.session_state.get(_key(state, "scale")) or "0 to 1"
    if scale != "0 to 1":
        options["trained_on"] = SCALES[scale]
    options |= who_wins(st.session_state.get(_key(state, "best")), file.name)
    order = [part.strip() for part in (st.session_state.get(_key(state, "order")) or "").split(",") if part.strip()]
    return options | ({"layers": order} if order else {})


def who_wins(chosen: str | None, file: str) -> dict[str, Any]:
    """The option `best` of `read_network` as chosen, {} where nothing need be said; InvalidInput where it must be."""
    if chosen is not None:
        return {} if BEST[chosen] == "max" and not file.lower().endswith(".nnet") else {"best": BEST[chosen]}
    if file.lower().endswith(".nnet"):
        raise InvalidInput(f"A .nnet file does not say which score wins: choose it at '{BEST_LABEL}'.")
    return {}


def read(file: File, options: dict[str, Any]) -> Own:
    """The network of a file, for digits; raises a RelucertError with one sentence, or Busy."""
    from relucert_core.importers.apart import read_apart
    from relucert_core.importers.for_digits import card_of, for_digits

    if len(file.data) + sum(map(len, file.beside.values())) > MEGABYTES * 2**20:
        raise InvalidInput(f"The files have more than {MEGABYTES} MB together; read the network in Python.")
    with heavy():
        net = for_digits(read_apart(file.data, file.name, files=file.beside, **options))
    labels = engine.sample()[1]
    known = labels < net.classes
    right = float(np.mean(engine.sample_readings(net)[known] == labels[known]))
    name = f"own-{net.digest[:12]}"
    text = tuple(net.card.lines()) if net.card is not None else ()
    return Own(file.name, options, net, card_of(net, name, file.name, right), right, text)
