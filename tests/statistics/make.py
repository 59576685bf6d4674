"""Makes golden.json: what scipy says of some samples, for tests/statistics.rs.

    pip install -r tests/statistics/requirements.txt
    python3 tests/statistics/make.py
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats
from scipy.special import gamma

# Sizes, spreads and distances as runs have them, and some that are not like that at all.
SAMPLES = {
    "close": [0.861, 0.857, 0.872, 0.849, 0.866],
    "better": [0.780, 0.775, 0.791, 0.772, 0.779],
    "two": [1.25, 1.75],
    "two_tight": [0.5, 0.500001],
    "wide": [12.0, -7.5, 3.25, 88.0, 41.0, -20.0],
    "tiny": [1e-9, 3e-9, 2e-9, 2.5e-9],
    "far": [1e6 + 1, 1e6 + 2, 1e6 + 4],
    "ties": [0.25, 0.25, 0.5, 0.25, 0.25],
    "constant": [0.3, 0.3, 0.3],
    "many": [float(x) for x in np.round(np.sin(np.arange(40.0)) + 0.1 * np.arange(40.0), 6)],
}


def unbiased(effect, degrees):
    if degrees < 2:
        return None
    return effect * gamma(degrees / 2) / (np.sqrt(degrees / 2) * gamma((degrees - 1) / 2))


def summary(values):
    mean, sd = np.mean(values), np.std(values, ddof=1)
    if sd < 1e-15:
        return {"mean": mean, "sd": 0.0, "low": mean, "high": mean}
    low, high = stats.t.interval(0.95, len(values) - 1, loc=mean, scale=stats.sem(values))
    return {"mean": mean, "sd": sd, "low": low, "high": high}


def welch(a, b):
    result = stats.ttest_ind(a, b, equal_var=False)
    interval = result.confidence_interval(0.95)
    degrees = len(a) + len(b) - 2
    pooled = np.sqrt(((len(a) - 1) * np.var(a, ddof=1) + (len(b) - 1) * np.var(b, ddof=1)) / degrees)
    difference = np.mean(a) - np.mean(b)
    return test(difference, interval, result.pvalue, unbiased(difference / pooled, degrees))


def paired(a, b):
    result = stats.ttest_rel(a, b)
    interval = result.confidence_interval(0.95)
    differences = np.subtract(a, b)
    difference, degrees = np.mean(differences), len(a) - 1
    return test(difference, interval, result.pvalue, unbiased(difference / np.std(differences, ddof=1), degrees))


def test(difference, interval, p, effect):
    return {"difference": difference, "low": interval.low, "high": interval.high, "p": p, "effect": effect}


def holm(p):
    """By its definition: the smallest level at which stepping down would still reject."""
    order = np.argsort(p)
    corrected = [0.0] * len(p)
    for place, i in enumerate(order):
        corrected[i] = min(1.0, max((len(p) - step) * p[order[step]] for step in range(place + 1)))
    return corrected


names = list(SAMPLES)
pairs = [(a, b) for a in names for b in names if a < b]
families = [[0.01, 0.04, 0.03, 0.005], [0.5, 0.6, 0.7], [0.02, 0.02, 0.02], [1e-12], [0.9, 1e-5, 0.04, 0.04, 0.3]]
golden = {
    "samples": SAMPLES,
    "summaries": {name: summary(values) for name, values in SAMPLES.items()},
    "welch": [{"a": a, "b": b, **welch(SAMPLES[a], SAMPLES[b])} for a, b in pairs],
    "paired": [
        {"a": a, "b": b, **paired(SAMPLES[a], SAMPLES[b])}
        for a, b in pairs
        if len(SAMPLES[a]) == len(SAMPLES[b])
    ],
    "holm": [{"p": p, "corrected": holm(p)} for p in families],
}
text = json.dumps(golden, indent=1, default=float)
Path(__file__).with_name("golden.json").write_text(text + "\n")
