"""Figure: one thing measured, ours beside a peer's, and what we want it to be."""
from dataclasses import dataclass

LESS_IS_BETTER = ("s", "ms", "MiB")


@dataclass
class Figure:
    what: str
    ours: float
    unit: str
    peer: float = None        # In the same unit.
    peer_name: str = ""
    goal_ratio: float = None  # At least this many times as good as the peer.
    goal: float = None        # In the unit.
    memory: int = None        # The server's peak, in bytes.

    @property
    def ratio(self):
        """How many times as good as the peer."""
        if self.peer is None:
            return None
        return self.peer / self.ours if self.unit in LESS_IS_BETTER else self.ours / self.peer

    @property
    def met(self):
        """None where there is no goal."""
        if self.goal_ratio is not None:
            return self.ratio >= self.goal_ratio
        if self.goal is None:
            return None
        return self.ours <= self.goal if self.unit in LESS_IS_BETTER else self.ours >= self.goal
