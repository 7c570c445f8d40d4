"""How customers buy again: BG/NBD with the parameters Fader, Hardie and Lee (2005) published for CDNOW.

While a customer is active, purchases come at a rate of their own, drawn from a gamma distribution; after
each repeat purchase they leave for good with a chance of their own, drawn from a beta distribution. Time
is in weeks.
"""

from dataclasses import dataclass
from random import Random  # noqa: TID251 - the caller's generator is seeded: a sample year is the same every time


@dataclass(frozen=True, slots=True)
class Buying:
    r: float = 0.243
    alpha: float = 4.414
    a: float = 0.793
    b: float = 2.426

    def repeats(self, chance: Random, weeks: float) -> list[float]:
        """Instants of one customer's repeat purchases, in weeks after the first, up to the horizon."""
        rate = chance.gammavariate(self.r, 1 / self.alpha)
        leaves = chance.betavariate(self.a, self.b)
        at, instants = 0.0, []
        while rate > 0:
            at += chance.expovariate(rate)
            if at > weeks:
                break
            instants.append(at)
            if chance.random() < leaves:
                break
        return instants

    def expected_repeats(self, weeks: float) -> float:
        """E[X(t)] of the paper, its equation 9: how many repeat purchases a new customer makes by then."""
        z = weeks / (self.alpha + weeks)
        total = self.a + self.b - 1
        remaining = (1 - z) ** self.r * hypergeometric(self.r, self.b, total, z)
        return total / (self.a - 1) * (1 - remaining)


def hypergeometric(a: float, b: float, c: float, z: float) -> float:
    """Gauss's 2F1 by its series, for 0 <= z < 1."""
    term = total = 1.0
    for n in range(100_000):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        total += term
        if abs(term) < 1e-14 * abs(total):
            break
    return total
