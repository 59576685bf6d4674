"""A run's steps: what is minimised, what is shown, and the loop."""

from functools import partial

import jax
import jax.numpy as jnp
import optax
from model import capped_logits, dropout
from optimizers import clipping, estimates, optimizer


def losses(p, config, tokens, step):
    """What is minimised, and what is shown of it: the mean cross-entropy of each next token, in nats."""
    model, training = config["model"], config["training"]
    logits = capped_logits(p, model, tokens[:, :-1], dropout(model, training["seed"], step))
    shown = optax.softmax_cross_entropy_with_integer_labels(logits, tokens[:, 1:]).mean()
    # Szegedy et al. 2016 (arXiv 1512.00567): a share of each target is spread over all tokens alike.
    spread = -jax.nn.log_softmax(logits).mean()
    smoothing = training["label_smoothing"]
    # PaLM (Chowdhery et al. 2022, arXiv 2204.02311): draws the softmax's normaliser Z towards 1.
    normaliser = (jax.nn.logsumexp(logits, axis=-1) ** 2).mean()
    return (1 - smoothing) * shown + smoothing * spread + training["z_loss"] * normaliser, shown


def scramble(x, y):
    """32 bits out of two times 32, by the crate's definition, so that both draw the same labels: Wellons' lowbias32,
    of x, then of that plus y."""

    def mix(x):
        x = (x ^ x >> 16) * jnp.uint32(0x7FEB352D)
        x = (x ^ x >> 15) * jnp.uint32(0x846CA68B)
        return x ^ x >> 16

    return mix(mix(jnp.asarray(x, jnp.uint32)) + jnp.asarray(y, jnp.uint32))


def drawn_labels(logits, seed, step):
    """(B, T) labels drawn from softmax(logits): the largest logit, once noise of Gumbel's distribution is added."""
    batch, length, vocabulary = logits.shape
    rows = scramble(scramble(scramble(seed, step), 0), jnp.arange(batch * length))
    bits = scramble(rows[..., None], jnp.arange(vocabulary)) >> 9
    uniform = (bits.astype(jnp.float64) + 0.5) / 2**23
    return jnp.argmax(logits - jnp.log(-jnp.log(1 - uniform)).reshape(logits.shape), axis=-1)


def estimate(p, config, tokens, step):
    """Sophia's: the gradient of the mean cross-entropy on labels drawn from the model itself, clipped as any other.
    Channels are dropped as in the step's own pass."""
    model, training = config["model"], config["training"]
    inputs, drop = tokens[:, :-1], dropout(model, training["seed"], step)
    labels = drawn_labels(capped_logits(p, model, inputs, drop), training["seed"], step)
    loss = optax.softmax_cross_entropy_with_integer_labels
    gradient = jax.grad(lambda p: loss(capped_logits(p, model, inputs, drop), labels).mean())(p)
    return clipping(config).update(gradient, optax.EmptyState())[0]


def steps(config, p, batches):
    """Yields, for each batch (B, T+1), the loss before its update, the gradient before clipping, and the parameters
    after it."""
    rule = optimizer(config)

    @partial(jax.jit, static_argnames="estimates")
    def advance(p, state, tokens, step, estimates):
        (_, shown), gradient = jax.value_and_grad(lambda p: losses(p, config, tokens, step), has_aux=True)(p)
        estimated = estimate(p, config, tokens, step) if estimates else None
        changes, state = rule.update(gradient, state, p, estimate=estimated)
        return shown, gradient, optax.apply_updates(p, changes), state

    state = rule.init(p)
    for step, tokens in enumerate(batches, start=1):
        shown, gradient, p, state = advance(p, state, tokens, step, estimates=estimates(config, step))
        yield float(shown), gradient, p
