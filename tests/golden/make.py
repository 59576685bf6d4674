"""Makes the goldens beside this file: ten training steps of small GPTs in JAX and Optax, in float64 on the CPU.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make.py [NAME …]

It shares nothing with the crate but the names and shapes of parameters and the config's fields. The models (model.py),
the losses (training.py) and the update rules (optimizers.py) are written from the papers; gradients come from jax.grad.
tests/golden.rs reads the files; it needs no Python.

A file holds, in safetensors:
    initial.*        parameters before step 1; random, and larger than GPT-2's, so that all of them matter
    tokens           (10, B, T+1), a batch for each step
    logits           (B, T, V) of the first batch in training, before they are capped
    gradient.*       of step 1, before clipping
    losses, norms    (10): the loss shown before each update, and the whole gradient's norm before clipping
    change.*         what the ten updates added to the parameters; NaN where rounding alone decides
and the run's config, as JSON, in its metadata.
"""

import json
import math
import sys
import zlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from model import GATES, batch_logits, dropout, hidden_width, key_value_heads
from safetensors.numpy import save_file
from training import steps

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_disable_most_optimizations", True)  # compiling takes longer than ten steps

STEPS = 10

# Written into each file, so that no default of the crate's matters.
DEFAULTS = dict(
    model=dict(
        norm="layer_norm",
        norm_position="pre",
        biases=True,
        position="learned",
        rope_base=10_000.0,
        rope_interpolation=1.0,
        kv_heads=0,
        qk_norm=False,
        activation="gelu_tanh",
        equal_parameters=True,
        tied_head=True,
        logit_soft_cap=0.0,
        dropout=0.0,
    ),
    optimizer=dict(kind="adamw", beta1=0.9, beta2=0.99, epsilon=1e-8, weight_decay=0.1, clip_norm=3.0),
    schedule=dict(kind="cosine", warmup_steps=2, final_fraction=0.1),
    training=dict(steps=10, accumulation=1, seed=1, label_smoothing=0.0, z_loss=0.0),
)

# The vocabulary's size, then what differs from the defaults.
GOLDENS = {
    "smallest": dict(
        vocabulary=11,
        model=dict(layers=1, width=8, heads=1, hidden=32, context=8),
        optimizer=dict(learning_rate=1e-2, clip_norm=1.0),
        schedule=dict(warmup_steps=3),
        training=dict(batch_size=1),
    ),
    "rms_untied": dict(
        vocabulary=23,
        model=dict(layers=2, width=12, heads=3, hidden=20, context=13, norm="rms_norm", tied_head=False),
        optimizer=dict(learning_rate=4e-3, beta2=0.999, clip_norm=0.0),
        schedule=dict(kind="linear", warmup_steps=0, final_fraction=0.0),
        training=dict(steps=12, batch_size=2),
    ),
    "deep": dict(
        vocabulary=31,
        model=dict(layers=4, width=8, heads=2, hidden=12, context=17, tied_head=False),
        optimizer=dict(learning_rate=3e-3, beta1=0.95, beta2=0.98, epsilon=1e-6, weight_decay=1.0, clip_norm=0.5),
        schedule=dict(kind="constant", warmup_steps=5),
        training=dict(steps=100, batch_size=1),
    ),
    "rms_tied": dict(
        vocabulary=13,
        model=dict(layers=1, width=12, heads=1, hidden=20, context=9, norm="rms_norm"),
        optimizer=dict(learning_rate=2e-2, beta1=0.8, beta2=0.9, epsilon=1e-3, weight_decay=0.3, clip_norm=2.0),
        schedule=dict(warmup_steps=10, final_fraction=0.5),
        training=dict(batch_size=3),
    ),
    "five_heads": dict(
        vocabulary=19,
        model=dict(layers=1, width=20, heads=5, hidden=36, context=11),
        optimizer=dict(learning_rate=5e-3, beta2=0.95, weight_decay=0.5, clip_norm=5.0),
        schedule=dict(kind="linear", final_fraction=0.2),
        training=dict(batch_size=2),
    ),
    "wide_mlp": dict(
        vocabulary=29,
        model=dict(layers=1, width=16, heads=2, hidden=40, context=16, tied_head=False),
        optimizer=dict(learning_rate=1e-2, beta1=0.0, weight_decay=0.0, clip_norm=1.5),
        schedule=dict(warmup_steps=0, final_fraction=0.0),
        training=dict(steps=20, batch_size=3),
    ),
    "narrow_mlp": dict(
        vocabulary=17,
        model=dict(layers=2, width=16, heads=2, hidden=8, context=10, norm="rms_norm", tied_head=False),
        optimizer=dict(learning_rate=6e-3, weight_decay=0.2, clip_norm=1.8),
        schedule=dict(warmup_steps=1),
        training=dict(steps=15, batch_size=2),
    ),
    # Positions and attention.
    "rope": dict(
        vocabulary=12,
        model=dict(layers=1, width=16, heads=2, hidden=24, context=11, position="rope", activation="relu"),
        optimizer=dict(learning_rate=1e-2),
        training=dict(batch_size=2),
    ),
    "rope_interpolated": dict(
        vocabulary=13,
        model=dict(layers=1, width=16, heads=2, hidden=24, context=14, position="rope", rope_base=500.0)
        | dict(rope_interpolation=2.5, kv_heads=1, norm="rms_norm", activation="silu", tied_head=False),
        optimizer=dict(learning_rate=1e-2),
        training=dict(batch_size=1),
    ),
    "alibi": dict(
        vocabulary=14,
        model=dict(layers=1, width=20, heads=5, hidden=20, context=13, position="alibi", activation="gelu"),
        optimizer=dict(learning_rate=1e-2),
        training=dict(batch_size=1),
    ),
    "alibi_grouped": dict(
        vocabulary=15,
        model=dict(layers=1, width=16, heads=4, hidden=12, context=10, position="alibi", kv_heads=2)
        | dict(qk_norm=True, activation="squared_relu"),
        optimizer=dict(learning_rate=5e-3),
        training=dict(batch_size=1),
    ),
    "no_positions": dict(
        vocabulary=13,
        model=dict(layers=1, width=12, heads=3, hidden=16, context=12, position="none", kv_heads=1, biases=False),
        optimizer=dict(learning_rate=1e-2),
        training=dict(batch_size=2),
    ),
    "sinusoidal": dict(
        vocabulary=17,
        model=dict(layers=1, width=16, heads=1, hidden=28, context=15, position="sinusoidal", activation="geglu"),
        optimizer=dict(learning_rate=1e-2),
        training=dict(batch_size=1),
    ),
    "qk_norm": dict(
        vocabulary=11,
        model=dict(layers=1, width=16, heads=2, hidden=16, context=9, position="rope", qk_norm=True)
        | dict(norm="rms_norm", activation="swiglu"),
        optimizer=dict(learning_rate=1e-2),
        training=dict(batch_size=2),
    ),
    # MLPs, norms, biases.
    "post_norm": dict(
        vocabulary=13,
        model=dict(layers=2, width=8, heads=1, hidden=28, context=9, norm_position="post", activation="reglu"),
        optimizer=dict(learning_rate=1e-2),
        training=dict(batch_size=2),
    ),
    "post_rms": dict(
        vocabulary=11,
        model=dict(layers=2, width=8, heads=2, hidden=24, context=10, norm="rms_norm", norm_position="post")
        | dict(biases=False, activation="glu", equal_parameters=False, tied_head=False),
        optimizer=dict(learning_rate=1e-2),
        training=dict(batch_size=2),
    ),
    "dropout": dict(
        vocabulary=11,
        model=dict(layers=2, width=8, heads=1, hidden=16, context=9, dropout=0.3, activation="relu"),
        optimizer=dict(learning_rate=1e-2),
        training=dict(batch_size=4, accumulation=2, seed=12345),
    ),
    # Losses.
    "soft_cap": dict(
        vocabulary=19,
        model=dict(layers=1, width=12, heads=3, hidden=12, context=11, logit_soft_cap=2.5, activation="swiglu"),
        optimizer=dict(learning_rate=1e-2),
        training=dict(batch_size=2),
    ),
    "label_smoothing": dict(
        vocabulary=13,
        model=dict(layers=1, width=8, heads=1, hidden=16, context=10, activation="gelu"),
        optimizer=dict(learning_rate=1e-2),
        training=dict(batch_size=2, label_smoothing=0.2),
    ),
    "z_loss": dict(
        vocabulary=15,
        model=dict(layers=1, width=8, heads=2, hidden=16, context=10, activation="silu", tied_head=False),
        optimizer=dict(learning_rate=1e-2),
        training=dict(batch_size=2, z_loss=0.03),
    ),
    # Optimizers.
    "sgd": dict(
        vocabulary=12,
        model=dict(layers=1, width=8, heads=1, hidden=24, context=9),
        optimizer=dict(kind="sgd", learning_rate=0.3, momentum=0.0, nesterov=False, clip_norm=0.0),
        training=dict(batch_size=2),
    ),
    "sgd_momentum": dict(
        vocabulary=12,
        model=dict(layers=1, width=8, heads=2, hidden=24, context=9, tied_head=False),
        optimizer=dict(kind="sgd", learning_rate=0.1, momentum=0.8, nesterov=False, weight_decay=0.3),
        training=dict(batch_size=2),
    ),
    "sgd_nesterov": dict(
        vocabulary=12,
        model=dict(layers=1, width=12, heads=1, hidden=16, context=9, norm="rms_norm", activation="relu"),
        optimizer=dict(kind="sgd", learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
        training=dict(batch_size=2),
    ),
    "adam": dict(
        vocabulary=14,
        model=dict(layers=1, width=12, heads=1, hidden=24, context=10),
        optimizer=dict(kind="adam", learning_rate=1e-2, beta2=0.95, weight_decay=0.3),
        training=dict(batch_size=2),
    ),
    # The token embedding has 16 blocks of 256 and a part of one; all else is too small for 8 bits.
    "adamw_8bit": dict(
        vocabulary=257,
        model=dict(layers=1, width=16, heads=2, hidden=8, context=8),
        optimizer=dict(kind="adamw_8bit", learning_rate=4e-3, beta2=0.9, clip_norm=6.0),
        training=dict(batch_size=1),
    ),
    "lion": dict(
        vocabulary=15,
        model=dict(layers=1, width=12, heads=1, hidden=24, context=10, tied_head=False),
        optimizer=dict(kind="lion", learning_rate=3e-3, beta1=0.9, beta2=0.95, weight_decay=1.0),
        training=dict(batch_size=2),
    ),
    "sophia": dict(
        vocabulary=13,
        model=dict(layers=1, width=12, heads=1, hidden=20, context=10, tied_head=False, logit_soft_cap=8.0),
        optimizer=dict(kind="sophia", learning_rate=5e-3, beta1=0.9, beta2=0.9, rho=0.5, estimate_every=3),
        training=dict(batch_size=2, label_smoothing=0.1),
    ),
    # Its steps are relative to a tensor's root mean square: with rotations, no part of one is noise (see below).
    "adafactor": dict(
        vocabulary=15,
        model=dict(layers=1, width=16, heads=2, hidden=20, context=10, tied_head=False, position="rope"),
        optimizer=dict(kind="adafactor", learning_rate=3e-2, weight_decay=0.3),
        training=dict(batch_size=2),
    ),
    "muon": dict(
        vocabulary=13,
        model=dict(layers=1, width=16, heads=4, kv_heads=2, hidden=24, context=12, activation="swiglu")
        | dict(equal_parameters=False, norm="rms_norm"),
        optimizer=dict(kind="muon", learning_rate=1e-2, momentum=0.9, nesterov=True),
        training=dict(batch_size=2),
    ),
    "muon_plain": dict(
        vocabulary=13,
        model=dict(layers=1, width=12, heads=1, hidden=8, context=12, tied_head=False),
        optimizer=dict(kind="muon", learning_rate=1e-2, momentum=0.8, nesterov=False, weight_decay=0.5),
        training=dict(batch_size=2),
    ),
    "all_at_once": dict(
        vocabulary=14,
        model=dict(layers=2, width=16, heads=2, kv_heads=1, hidden=20, context=12, norm="rms_norm")
        | dict(norm_position="post", biases=False, position="rope", rope_base=100.0, rope_interpolation=2.0)
        | dict(qk_norm=True, activation="geglu", tied_head=False, logit_soft_cap=4.0),
        optimizer=dict(kind="muon", learning_rate=5e-3, momentum=0.95, nesterov=True),
        schedule=dict(kind="linear", warmup_steps=3),
        training=dict(batch_size=2, label_smoothing=0.1, z_loss=0.01),
    ),
}


def completed(golden):
    return {section: values | golden[section] if section in golden else values for section, values in DEFAULTS.items()}


def initial_parameters(rng, vocabulary, model):
    """Names and shapes as a PyTorch module would have them."""
    width, hidden = model["width"], hidden_width(model)
    size, groups = width // model["heads"], key_value_heads(model)
    parameters = {}

    def linear(name, inputs, outputs, bias=model["biases"]):
        parameters[f"{name}.weight"] = rng.normal(0, 1.2 / math.sqrt(inputs), (outputs, inputs))
        if bias:
            parameters[f"{name}.bias"] = rng.normal(0, 0.3, outputs)

    def norm(name, channels=width, bias=model["biases"] and model["norm"] == "layer_norm"):
        parameters[f"{name}.weight"] = rng.normal(1, 0.3, channels)
        if bias:
            parameters[f"{name}.bias"] = rng.normal(0, 0.3, channels)

    parameters["tok_emb.weight"] = rng.normal(0, 0.5, (vocabulary, width))
    if model["position"] == "learned":
        parameters["pos_emb.weight"] = rng.normal(0, 0.5, (model["context"], width))
    for i in range(model["layers"]):
        norm(f"blocks.{i}.norm1")
        linear(f"blocks.{i}.attn.qkv", width, width + 2 * groups * size)
        linear(f"blocks.{i}.attn.out", width, width)
        norm(f"blocks.{i}.norm2")
        linear(f"blocks.{i}.mlp.up", width, hidden)
        linear(f"blocks.{i}.mlp.down", hidden, width)
        if model["qk_norm"]:
            norm(f"blocks.{i}.attn.q_norm", size, bias=False)
            norm(f"blocks.{i}.attn.k_norm", size, bias=False)
        if model["activation"] in GATES:
            linear(f"blocks.{i}.mlp.gate", width, hidden)
    if model["norm_position"] == "pre":
        norm("norm_f")
    if not model["tied_head"]:
        linear("head", width, vocabulary, bias=False)
    return {name: values.astype(np.float32) for name, values in parameters.items()}


def without_noise(model, changes):
    """A key's bias adds the same to all scores of a query, so its gradient is zero but for rounding; where rotations or
    a norm follow it, it is not. Adam and Lion make steps of any size out of that rounding."""
    width, keys = model["width"], key_value_heads(model) * model["width"] // model["heads"]
    if model["position"] != "rope" and not model["qk_norm"]:
        for name in changes:
            if name.endswith("attn.qkv.bias"):
                changes[name][width : width + keys] = math.nan
    return changes


def make(name, golden):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    vocabulary, config = golden["vocabulary"], completed(golden)
    model, training = config["model"], config["training"]
    initial = initial_parameters(rng, vocabulary, model)
    # Something to learn: each token lies one to three after the one before.
    strides = rng.integers(1, 4, (STEPS, training["batch_size"], model["context"] + 1))
    tokens = (rng.integers(0, vocabulary, strides.shape[:2] + (1,)) + strides.cumsum(axis=-1)) % vocabulary

    p = {name: jnp.asarray(values, jnp.float64) for name, values in initial.items()}
    tensors = {f"initial.{name}": values for name, values in initial.items()}
    tensors["tokens"] = tokens.astype(np.uint32)
    drop = dropout(model, training["seed"], 1)
    tensors["logits"] = jax.jit(lambda p: batch_logits(p, model, tokens[0, :, :-1], drop))(p)
    losses, norms, first = [], [], p
    for step, (loss, gradient, p) in enumerate(steps(config, p, tokens), start=1):
        if step == 1:
            tensors |= {f"gradient.{name}": values for name, values in gradient.items()}
        losses.append(loss)
        norms.append(float(optax.global_norm(gradient)))
    changes = without_noise(model, {name: np.array(values - first[name]) for name, values in p.items()})
    tensors |= {f"change.{name}": values for name, values in changes.items()}

    tensors = {key: np.asarray(v) if v.dtype == np.uint32 else np.asarray(v, np.float32) for key, v in tensors.items()}
    tensors |= {"losses": np.array(losses), "norms": np.array(norms)}
    file = Path(__file__).parent / f"{name}.safetensors"
    save_file(tensors, file, {"config": json.dumps(config)})

    clip = config["optimizer"]["clip_norm"] or math.inf
    print(
        f"{name:18} {file.stat().st_size:7} bytes, loss {losses[0]:.4f} to {losses[-1]:.4f},"
        f" gradient norm {min(norms):.2f} to {max(norms):.2f}, {sum(n > clip for n in norms)} of {STEPS} steps clipped",
        flush=True,
    )


if __name__ == "__main__":
    for name in sys.argv[1:] or GOLDENS:
        make(name, GOLDENS[name])
