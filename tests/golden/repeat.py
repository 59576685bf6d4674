"""Repeats the first steps of a run in JAX, from what trainlab exported, and compares the losses.

    trainlab train --set training.steps=10 --out RUN --export-batches 10 > RUN.jsonl
    python tests/golden/repeat.py RUN RUN.jsonl

Exits with 1 where a loss differs by more than 1e-4.
"""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
from safetensors.numpy import load_file
from training import steps

jax.config.update("jax_enable_x64", True)

folder, lines = Path(sys.argv[1]), Path(sys.argv[2])
config = json.loads((folder / "config.json").read_text())
p = {name: jnp.asarray(values, jnp.float64) for name, values in load_file(folder / "init.safetensors").items()}
batches = load_file(folder / "batches.safetensors")["tokens"]
expected = [line["loss"] for line in map(json.loads, lines.read_text().splitlines()) if "grad_norm" in line]

worst = 0.0
for step, ((loss, *_), theirs) in enumerate(zip(steps(config, p, batches), expected), start=1):
    worst = max(worst, abs(loss - theirs))
    print(f"step {step}: trainlab {theirs:.6f}, JAX {loss:.6f}", flush=True)
print(f"largest difference {worst:.1e}")
sys.exit(worst > 1e-4)
