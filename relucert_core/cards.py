"""What is known of a network that was read: where from, what was rounded on the way, whether it was replayed."""

from __future__ import annotations

from dataclasses import dataclass

NNET = "a .nnet file"
POOLED = "max pooling: where the largest entries of a window tie, as on flat background, the simplex radius is 0"


@dataclass(frozen=True)
class ReadingCard:
    """The card of a network that came through `read_network`.

    source: what kind of thing it came from. input_shape: of one point, without a batch; points are flattened in this
    order. classes: their names, or None. rounded: the operations whose coefficients had to be rounded to float64; if
    there are none, the network is the source to the bit. difference: the largest difference seen in the replay,
    relative to the scores; None: not replayed. trained_on: the source's own inputs are a + (b - a) x. best: whether the
    largest or the smallest score of the source wins. notes: what else was done, in words.
    """

    source: str
    input_shape: tuple[int, ...]
    classes: tuple[str, ...] | None
    rounded: tuple[str, ...]
    difference: float | None
    trained_on: tuple[float, float]
    best: str
    notes: tuple[str, ...] = ()

    @property
    def as_read(self) -> str:
        """What certificates are about: "the network", or "the network as read" where coefficients were rounded."""
        return "the network as read" if self.rounded else "the network"

    @property
    def input_range(self) -> tuple[float, float] | None:
        """(0, 1), which stands for `trained_on`; None for .nnet files, whose inputs have ranges of their own."""
        return None if self.source == NNET else (0.0, 1.0)

    def lines(self) -> list[str]:
        """The card as lines of text."""
        rounded = "yes, by " + ", ".join(self.rounded) if self.rounded else "no"
        replayed = "not replayed" if self.difference is None else f"replayed, largest difference {self.difference:.1e}"
        lines = [
            f"source: {self.source}",
            f"input: {' x '.join(map(str, self.input_shape))}",
            f"rounded: {rounded}",
            f"replay: {replayed}",
        ]
        if self.trained_on != (0.0, 1.0):
            lines.append(f"trained on: {self.trained_on[0]:g} to {self.trained_on[1]:g}, read for points in 0 to 1")
        if self.best == "min":
            lines.append("best: the smallest score wins; the scores were negated")
        return [*lines, *(f"note: {note}" for note in self.notes)]
