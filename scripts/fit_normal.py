"""
The coefficients of normal_cdf and gelu_slope in native/base/vec_math.h: f(x) - 1/2 = x P(x^2) / Q(x^2) on [0, end] with
the least largest error, float32 coefficients. Needs numpy and scipy; prints C++ constants and the fits' errors in units of 2^-24.
What the roundings of float32 add to them is checked by native/test/ulps_test.cc. Run: python scripts/fit_normal.py
"""

import numpy as np
from scipy.special import erf


def cdf(x):
    return erf(x / np.sqrt(2)) / 2


def slope(x):
    return cdf(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


class Fit:
    """Lawson's reweighted least squares, linearised by the last denominator; some coefficients may be given."""

    def __init__(self, f, end, p, q):
        self.x = end / 2 * (1 - np.cos(np.linspace(0, np.pi, 3001)))[1:]
        self.f, self.end, self.p, self.q = f(self.x), end, p, q
        self.weights = np.ones_like(self.x)

    def column(self, part, i):
        power = (self.x / self.end) ** (2 * i)
        return self.x * power if part == "p" else -self.f * power

    def value(self, found):
        sums = {part: sum(c * self.x ** (2 * i) for (s, i), c in found.items() if s == part) for part in "pq"}
        return self.x * sums["p"] / (1 + sums["q"]), 1 + sums["q"]

    def solve(self, given, rounds):
        names = [("p", i) for i in range(self.p + 1)] + [("q", i) for i in range(1, self.q + 1)]
        free = [name for name in names if name not in given]
        best, weights, denominator = (np.inf,), self.weights, 1.0
        for _ in range(rounds):
            scale = np.sqrt(weights) / denominator
            rest = self.f - sum(c * self.end ** (2 * i) * self.column(s, i) for (s, i), c in given.items())
            matrix = np.array([self.column(*name) for name in free]).T * scale[:, None]
            norms = np.linalg.norm(matrix, axis=0)
            solved = np.linalg.lstsq(matrix / norms, rest * scale, rcond=1e-15)[0] / norms
            found = {**given, **{name: c / self.end ** (2 * name[1]) for name, c in zip(free, solved)}}
            value, denominator = self.value(found)
            error = np.abs(value - self.f)
            if error.max() < best[0]:
                best = (error.max(), found, weights)
            weights = weights * (error + 0.02 * error.max())
            weights /= weights.mean()
        error, found, self.weights = best
        return error, found


def fit(f, end, p, q):
    """Rounds one coefficient after the other to float32, lowest powers first, and fits the others again."""
    solver, given = Fit(f, end, p, q), {}
    error, found = solver.solve(given, 60)
    for name in sorted(found, key=lambda name: (name[1], name[0])):
        given[name] = float(np.float32(solver.solve(given, 40)[1][name]))
    return error, np.abs(solver.value(given)[0] - solver.f).max(), given


def literal(c):
    mantissa, exponent = c.hex().split("p")
    return f"{mantissa.rstrip('0')}p{int(exponent)}f"


for name, f, end, p, q in (("normal_cdf", cdf, 5.5, 5, 5), ("gelu_slope", slope, 6.0, 6, 7)):
    error, rounded, found = fit(f, end, p, q)
    print(f"{name}, |x| <= {end}: {error * 2**24:.3f}, with float32 coefficients {rounded * 2**24:.3f}")
    for part in "pq":
        print(f"  {part}:", ", ".join(literal(c) for (s, i), c in sorted(found.items(), key=lambda c: c[0][1]) if s == part))
