"""Each optimizer's update rule and the learning rate's schedule: Optax where it has the rule as the paper does, else
from the paper. Matrices alone decay; gains and biases never do."""

import math

import jax
import jax.numpy as jnp
import optax

def learning_rate(config, count):
    """Of the update that `count` updates came before."""
    step = count + 1
    peak, schedule = config["optimizer"]["learning_rate"], config["schedule"]
    warmup, final = schedule["warmup_steps"], schedule["final_fraction"]
    done = jnp.clip((step - warmup) / max(config["training"]["steps"] - warmup, 1), 0, 1)
    decay = {"constant": 0 * done, "linear": done, "cosine": (1 - jnp.cos(jnp.pi * done)) / 2}[schedule["kind"]]
    return peak * jnp.where(step < warmup, step / max(warmup, 1), 1 - (1 - final) * decay)


def matrices(p):
    return jax.tree.map(lambda values: values.ndim == 2, p)


def decay(o):
    return optax.add_decayed_weights(o["weight_decay"], mask=matrices)


def sgd(o):
    """As in PyTorch: decay is a part of the gradient, and momentum sums."""
    return optax.chain(decay(o), optax.trace(o["momentum"], o["nesterov"]))


def scale_by_adam(o):
    return optax.scale_by_adam(o["beta1"], o["beta2"], o["epsilon"])


def adam(o):
    """Kingma & Ba 2015, arXiv 1412.6980. Its decay is a part of the gradient."""
    return optax.chain(decay(o), scale_by_adam(o))


def adamw(o):
    """Loshchilov & Hutter 2019, arXiv 1711.05101."""
    return optax.chain(scale_by_adam(o), decay(o))


def lion(o):
    """Chen et al. 2023, arXiv 2302.06675."""
    return optax.chain(optax.scale_by_lion(o["beta1"], o["beta2"]), decay(o))


def dynamic_map(signed):
    """The 256 values of dynamic tree quantisation (Dettmers et al. 2021, arXiv 2110.02861, section 2, and their code).

    The leading zeros of a code are a decimal exponent, 0 to −6; the bits behind them cut [0.1, 1] into equal parts,
    whose middles are the values. Unsigned, the sign's bit is one more for the parts. Beside these are 0 and 1.
    """
    values = [0.0, 1.0]
    for exponent in range(7):
        parts = 2 ** (6 - exponent) if signed else 2 ** (7 - exponent)
        for i in range(parts):
            middle = (0.1 + 0.9 * (i + 0.5) / parts) * 10.0**-exponent
            values += [middle, -middle] if signed else [middle]
    assert len(values) == 256
    return jnp.array(sorted(values))


def quantise(x, signed, block=256):
    """What 8 bits keep of x: in each block the nearest values of the map, times the block's largest magnitude."""
    values = dynamic_map(signed)
    flat = jnp.pad(x.reshape(-1), (0, -x.size % block)).reshape(-1, block)
    largest = jnp.abs(flat).max(axis=1, keepdims=True)
    parts = flat / jnp.where(largest > 0, largest, 1)
    codes = jnp.searchsorted((values[1:] + values[:-1]) / 2, parts, side="right")
    if not signed:
        # A second moment that vanished would make the next update huge (Li et al. 2023, arXiv 2309.01507).
        codes = jnp.where((flat > 0) & (codes == 0), 1, codes)
    return (values[codes] * largest).reshape(-1)[: x.size].reshape(x.shape)


def adamw_8bit(o, smallest=4096):
    """AdamW whose moments are kept in 8 bits between steps, where a tensor has at least 4,096 elements."""
    rule = scale_by_adam(o)

    def keep(moment, signed):
        return {name: quantise(x, signed) if x.size >= smallest else x for name, x in moment.items()}

    def update(gradient, state, p):
        changes, state = rule.update(gradient, state, p)
        return changes, state._replace(mu=keep(state.mu, True), nu=keep(state.nu, False))

    return optax.chain(optax.GradientTransformation(rule.init, update), decay(o))


def adafactor(o):
    """Shazeer & Stern 2018, arXiv 1804.04235, without a first moment; the schedule gives the relative step size."""
    return optax.chain(
        optax.scale_by_factored_rms(decay_rate=0.8, min_dim_size_to_factor=1, epsilon=1e-30),
        optax.clip_by_block_rms(1.0),
        optax.scale_by_param_block_rms(1e-3),
        decay(o),
    )


def scale_by_sophia(o, rows):
    """Liu et al. 2023 (arXiv 2305.14342) with Gauss–Newton–Bartlett's estimate: `estimate` is the gradient on labels
    drawn from the model's own distribution, in steps that take one, else None. Its square times the batch's tokens (`rows`)
    estimates the Hessian's diagonal."""

    def init(p):
        zeros = jax.tree.map(jnp.zeros_like, p)
        return zeros, zeros

    def update(gradient, state, p=None, *, estimate=None, **_):
        m, h = state
        m = jax.tree.map(lambda m, g: o["beta1"] * m + (1 - o["beta1"]) * g, m, gradient)
        if estimate is not None:
            h = jax.tree.map(lambda h, g: o["beta2"] * h + (1 - o["beta2"]) * g**2, h, estimate)
        step = jax.tree.map(lambda m, h: jnp.sign(m) * jnp.minimum(jnp.abs(m) / (o["rho"] * rows * h + 1e-15), 1), m, h)
        return step, (m, h)

    return optax.GradientTransformationExtraArgs(init, update)


def orthogonalise(x):
    """Newton–Schulz, five times, from Keller Jordan 2024 (kellerjordan.github.io/posts/muon)."""
    a, b, c = 3.4445, -4.7750, 2.0315
    if x.shape[0] > x.shape[1]:
        return orthogonalise(x.T).T
    x = x / (jnp.linalg.norm(x) + 1e-7)
    for _ in range(5):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x


def scale_by_muon(o, model):
    """Keller Jordan 2024, of matrices. The query's, key's and value's share one tensor, but are three."""
    size = model["width"] // model["heads"]
    query, key = size * model["heads"], size * (model["kv_heads"] or model["heads"])

    def direction(name, u):
        parts = jnp.split(u, [query, query + key]) if name.endswith("qkv.weight") else [u]
        # Liu et al. 2025 (arXiv 2502.16982): as large as AdamW's updates, so that one learning rate serves both.
        return jnp.concatenate([0.2 * math.sqrt(max(part.shape)) * orthogonalise(part) for part in parts])

    def init(p):
        return jax.tree.map(jnp.zeros_like, p)

    def update(gradient, m, p=None):
        mix = o["momentum"]
        m = jax.tree.map(lambda m, g: mix * m + (1 - mix) * g, m, gradient)
        u = jax.tree.map(lambda m, g: mix * m + (1 - mix) * g, m, gradient) if o["nesterov"] else m
        masked = optax.MaskedNode
        return {name: x if isinstance(x, masked) else direction(name, x) for name, x in u.items()}, m

    return optax.GradientTransformation(init, update)


def muon(o, model):
    """Muon of the matrices inside blocks, AdamW of all else."""

    def rules(p):
        return {name: "muon" if name.startswith("blocks.") and x.ndim == 2 else "adam" for name, x in p.items()}

    return optax.chain(optax.partition({"muon": scale_by_muon(o, model), "adam": scale_by_adam(o)}, rules), decay(o))


def estimates(config, step):
    """Whether Sophia takes an estimate in this step, counted from 1 (its paper's algorithm 3)."""
    o = config["optimizer"]
    return o["kind"] == "sophia" and (step - 1) % o["estimate_every"] == 0


def clipping(config):
    limit = config["optimizer"]["clip_norm"]
    return optax.clip_by_global_norm(limit) if limit > 0 else optax.identity()


def optimizer(config):
    """An Optax transformation: clipping, the rule, the schedule."""
    o, model, training = config["optimizer"], config["model"], config["training"]
    rule = {
        "sgd": sgd,
        "adam": adam,
        "adamw": adamw,
        "adamw_8bit": adamw_8bit,
        "lion": lion,
        "sophia": lambda o: optax.chain(scale_by_sophia(o, training["batch_size"] * model["context"]), decay(o)),
        "adafactor": adafactor,
        "muon": lambda o: muon(o, model),
    }[o["kind"]](o)
    rate = optax.scale_by_learning_rate(lambda count: learning_rate(config, count))
    return optax.with_extra_args_support(optax.chain(clipping(config), rule, rate))
