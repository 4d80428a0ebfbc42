"""Random numbers from explicit keys: pure functions of a key, with no global state.

A key is an int64 tensor [2] of two 32-bit words. It is used once: `split` it, or `fold_in` a number, to get more. Draws
take the key last and live on its device. A key may carry leading batch axes, [*K, 2], one key for each row (an
environment, a seed): a draw from it has shape [*K, *shape], and its row i is the draw from `key[i]` alone, so that
`vmap(f)(keys)` equals `f(keys)`.

Word i of a key's stream is a hash of (key, i), the counter-based scheme of Salmon et al., "Parallel random numbers: as
easy as 1, 2, 3" (2011), in int64 operations whose products never overflow: the same integers come out eager, compiled,
vmapped, on a CPU and on a GPU. Floats made from them by `uniform` (between 0 and 1) are exact too; those that pass
through log and cos (`normal`, the ties of `categorical`) agree between modes to rounding.

The hash is rounds of shift-and-multiply, its factors from Wellons' hash prospector (github.com/skeeto/hash-prospector),
and xors with the key and with constants. It passes dieharder (`python bench/random_quality.py battery counters`) and is
chosen for its compile time, of which random numbers would otherwise be most: a compiler that inlines a value into all
its uses doubles its work at each xorshift `x ^ (x >> 16)`, and these rounds name each value once
(`python bench/random_speed.py`).
"""

import math
from collections.abc import Sequence
from operator import index
from typing import Any

import torch
from torch import Tensor

Shape = int | Sequence[int]

_MASK = 0xFFFFFFFF
_DIGITS = {torch.float64: 53, torch.float32: 24, torch.float16: 11, torch.bfloat16: 8}


def _round(x: Tensor, factor: int) -> Tensor:
    # x·65537 >> 16 is x + (x >> 16) with x named once: Inductor inlines x, and all that it is made of, at each use.
    return (x * 65537 >> 16) * factor & _MASK


def _scramble(x: Tensor) -> Tensor:
    return _round(_round(x ^ 0x9E3779B9, 0x21F0AAAD) ^ 0xBB67AE85, 0x735A2D97)


def _hash(left: Tensor, right: Tensor) -> Tensor:
    """A word in which each bit of `left` and `right` flips each bit with probability close to 1/2."""
    return _mix(_round(left, 0x21F0AAAD), right)


def _mix(x: Tensor, right: Tensor) -> Tensor:
    y = _scramble(_round(x ^ right, 0x735A2D97)) * 65537 >> 16
    # Over the counters each of x and y takes (nearly) every word once; their sum repeats some, as random words do. x
    # must not depend on `right`: else the sum is one function of 32 bits, and words outside its range never come.
    return (x + y) & _MASK


def _two(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """`_hash` and a second word; for one `right`, different `left` give different pairs."""
    x = _round(left, 0x21F0AAAD)
    first = _mix(x, right)
    # The last shift and x, not `left`, count: without them dieharder's overlapping quadruples find the pairs out.
    return first, (_scramble(first) * 65537 >> 16 ^ x) & _MASK


def _words(name: str, key: Any) -> tuple[Tensor, Tensor]:
    """The two words of `key`, each [*K]; raises on anything that is no key."""
    remedy = "make one with frl.random.key(0)"
    if not isinstance(key, Tensor):
        raise TypeError(f"{name}: key= must be a key, an int64 tensor [*K, 2], but got {key!r}; {remedy}.")
    if key.dtype != torch.int64:
        raise TypeError(f"{name}: key= must have dtype torch.int64, but got {key.dtype}; {remedy}.")
    if key.ndim == 0 or key.shape[-1] != 2:
        raise ValueError(f"{name}: key= must have shape [*K, 2], but got {list(key.shape)}; {remedy}.")
    return key[..., 0], key[..., 1]


def _stream(name: str, shape: Shape, key: Any) -> tuple[Tensor, Tensor]:
    """What `_hash` takes, for each element of [*K, *shape]; the counter runs over `shape` in row-major order."""
    left, right = _words(name, key)
    size = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(n < 0 for n in size):
        raise ValueError(f"{name}: shape is {list(size)}; sizes must be at least 0.")
    count = math.prod(size)
    if count > _MASK + 1:
        raise ValueError(f"{name}: shape {list(size)} has more than 2**32 elements; split the key and draw in parts.")
    counter = torch.arange(count, device=left.device).reshape(size)
    batch = left.shape + (1,) * len(size)
    return left.reshape(batch) ^ counter, right.reshape(batch)


def _pair(name: str, shape: Shape, key: Any) -> tuple[Tensor, Tensor]:
    """Two words for each element of [*K, *shape]."""
    return _two(*_stream(name, shape, key))


def _integer(name: str, argument: str, value: Any) -> None:
    if isinstance(value, float) or (isinstance(value, Tensor) and value.is_floating_point()):
        raise TypeError(f"{name}: {argument} must be an int or an int64 tensor, but got a floating-point {value!r}.")


def _derive(left: Tensor, right: Tensor) -> Tensor:
    return torch.stack(_two(left, right), -1)


def _fold(left: Tensor, right: Tensor, data: int | Tensor) -> Tensor:
    # The complement keeps derived keys apart from the words that `bits` draws from the same key.
    return _derive(left ^ data, right ^ _MASK)


def key(seed: int | Tensor) -> Tensor:
    """A key [2] from `seed`: different seeds give different keys, and consecutive ones unrelated streams.

    Args: seed: an integer in [-2**63, 2**64), taken modulo 2**64, or an int64 tensor [*K], which gives keys [*K, 2].
    Raises: ValueError if it lies outside; TypeError if it is no integer.

    >>> key(0).shape, key(0).dtype
    (torch.Size([2]), torch.int64)
    >>> bool((key(torch.tensor([5, 6]))[1] == key(6)).all())
    True
    """
    if isinstance(seed, Tensor):
        if seed.dtype != torch.int64:
            raise TypeError(f"key: seed must be an int or an int64 tensor, but got dtype {seed.dtype}.")
        return _derive((seed & _MASK) ^ 0x3C6EF372, (seed >> 32 & _MASK) ^ 0xA54FF53A)
    _integer("key", "seed", seed)
    if not hasattr(seed, "__index__"):
        raise TypeError(f"key: seed must be an int or an int64 tensor, but got {seed!r}.")
    seed = index(seed)
    if not -(2**63) <= seed < 2**64:
        raise ValueError(f"key: seed must lie in [-2**63, 2**64), but got {seed}.")
    return key(torch.tensor(seed if seed < 2**63 else seed - 2**64))


def split(key: Tensor, num: int = 2) -> Tensor:
    """`num` new keys [num, *K, 2] from `key` [*K, 2], which is not used again; unpack them or index them.

    Row i is `fold_in(key, i)`: the first n of more keys are the same keys.

    >>> first, second = split(key(0))
    >>> bool((split(key(0), 5)[1] == second).all())
    True
    """
    left, right = _words("split", key)
    if num < 0:
        raise ValueError(f"split: num must be at least 0, but got {num}.")
    return _fold(left, right, torch.arange(num, device=left.device).reshape(num, *(1,) * left.ndim))


def fold_in(key: Tensor, data: int | Tensor) -> Tensor:
    """A new key for the number `data`, [*K, 2]: different numbers give different keys.

    Args: key: [*K, 2]. data: an integer in [0, 2**32), or an int64 tensor that broadcasts against [*K], taken modulo
    2**32.
    Raises: ValueError for an int outside that range.

    >>> bool((fold_in(key(0), 3) == split(key(0), 4)[3]).all())
    True
    """
    left, right = _words("fold_in", key)
    _integer("fold_in", "data", data)
    if isinstance(data, Tensor):
        return _fold(left, right, data.to(torch.int64) & _MASK)
    if not 0 <= data <= _MASK:
        raise ValueError(f"fold_in: data must lie in [0, 2**32), but got {data}; fold in its parts, one by one.")
    return _fold(left, right, data)


def rows(key: Tensor, shape: Sequence[int], num: int = 1) -> tuple[Tensor, ...]:
    """`num` keys for each element of `shape`, each [*shape, 2], from one key or from keys of its leading axes.

    Args: key: [2], or [*K, 2] where `shape` begins with [*K].
    Raises: ValueError if it does not.

    >>> [each.shape for each in rows(key(0), (4, 3), 2)]
    [torch.Size([4, 3, 2]), torch.Size([4, 3, 2])]
    >>> bool((rows(split(key(0), 4)[1:2], (1, 3))[0] == rows(split(key(0), 4), (4, 3))[0][1]).all())
    True
    """
    size = torch.Size(shape)
    rest = _rows("rows", size, key)
    return split(key, num * math.prod(rest)).movedim(0, -2).reshape(*size, num, 2).unbind(-2)


def bits(shape: Shape, key: Tensor) -> Tensor:
    """Uniform 32-bit words, int64 in [0, 2**32), of shape [*K, *shape].

    >>> bits((2, 3), key(0)).shape
    torch.Size([2, 3])
    """
    return _hash(*_stream("bits", shape, key))


def uniform(
    shape: Shape,
    key: Tensor,
    *,
    low: float | Tensor = 0.0,
    high: float | Tensor = 1.0,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Uniform on [low, high), of shape [*K, *shape].

    Between 0 and 1 these are the multiples of 2**-24 (float32) or 2**-53 (float64), 1 excluded, and the float64 draw
    begins with the bits of the float32 one. With other bounds the result is low + u·(high − low), which may round to
    `high`.

    >>> u = uniform((1000,), key(0))
    >>> bool(((u >= 0) & (u < 1)).all())
    True
    """
    digits = _DIGITS.get(dtype)
    if digits is None:
        raise TypeError(f"uniform: dtype must be one of {[str(d) for d in _DIGITS]}, but got {dtype}.")
    if digits > 32:
        first, second = _pair("uniform", shape, key)
        word = (first << digits - 32) | (second >> 64 - digits)
    else:
        word = _hash(*_stream("uniform", shape, key)) >> 32 - digits
    unit = word.to(dtype) * 2.0**-digits
    if not isinstance(low, Tensor) and not isinstance(high, Tensor) and (low, high) == (0, 1):
        return unit
    return (low + unit * (high - low)).to(dtype)


def normal(shape: Shape, key: Tensor, *, dtype: torch.dtype = torch.float32) -> Tensor:
    """Standard normal, of shape [*K, *shape]; always finite, |x| < 6.67. Source: Box and Muller (1958).

    The float32 draw is the float64 draw to rounding.

    >>> normal((3,), key(0)).dtype
    torch.float32
    """
    if dtype not in _DIGITS:
        raise TypeError(f"normal: dtype must be one of {[str(d) for d in _DIGITS]}, but got {dtype}.")
    first, second = _pair("normal", shape, key)
    working = torch.float64 if dtype == torch.float64 else torch.float32
    radius = torch.sqrt(-2 * torch.log((first + 1).to(working) * 2.0**-32))
    return (radius * torch.cos(second.to(working) * (2 * math.pi * 2.0**-32))).to(dtype)


def randint(low: int | Tensor, high: int | Tensor, shape: Shape, key: Tensor) -> Tensor:
    """Uniform integers in [low, high), int64 of shape [*K, *shape]; no value is favoured by more than 2**-30.

    Args: low, high: integers, or int64 tensors that broadcast against the result (a buffer's changing size); a tensor
    draws the same numbers as an int.
    Raises: ValueError if two ints span nothing or more than 2**32 values; tensors are trusted.
    Source: multiplication instead of division, Lemire (2019), on 62 bits.

    >>> x = randint(-1, 2, (1000,), key(0))
    >>> sorted(set(x.tolist()))
    [-1, 0, 1]
    """
    _integer("randint", "low", low)
    _integer("randint", "high", high)
    span = high - low
    if isinstance(span, int) and not 0 < span <= _MASK + 1:
        raise ValueError(f"randint: [low, high) must hold 1 to 2**32 integers, but got [{low}, {high}).")
    first, second = _pair("randint", shape, key)
    return low + ((first >> 1) * span + ((second >> 1) * span >> 31) >> 31)


def _rows(name: str, shape: torch.Size, key: Tensor) -> torch.Size:
    """What of `shape` = [*K, ...] is left for each key."""
    _words(name, key)
    batch = key.shape[:-1]
    if shape[: len(batch)] != batch:
        raise ValueError(
            f"{name}: shape {list(shape)} must begin with the batch axes {list(batch)} of key=; "
            "pass one key, or as many as there are rows."
        )
    return shape[len(batch) :]


def bernoulli(p: float | Tensor, key: Tensor) -> Tensor:
    """True with probability `p`, rounded up to a multiple of 2**-24; boolean, of p's shape [*K, ...].

    A float stands for [*K] of them. p ≤ 0 never gives True, p ≥ 1 always does.

    >>> bernoulli(torch.tensor([0.0, 1.0]), key(0)).tolist()
    [False, True]
    """
    shape = _rows("bernoulli", p.shape, key) if isinstance(p, Tensor) else ()
    return uniform(shape, key) < p


def categorical(logits: Tensor, key: Tensor) -> Tensor:
    """Indices into the last axis, int64 [*K, ...], with probabilities softmax(logits); by the Gumbel-max trick.

    A class whose logit is −inf is never drawn, as long as the row has another.

    Args: logits: [*K, ..., n], floating point, not normalised.

    >>> categorical(torch.tensor([[0.0, -torch.inf], [-torch.inf, 0.0]]), key(0)).tolist()
    [0, 1]
    """
    if not logits.is_floating_point():
        raise TypeError(f"categorical: logits must be floating point, but got {logits.dtype}.")
    word = bits(_rows("categorical", logits.shape, key), key)
    working = torch.float64 if logits.dtype == torch.float64 else torch.float32
    # Never 0 nor 1, so that the noise is finite; finest near 0, where the rare classes win.
    u = ((word.to(working) + 0.5) * 2.0**-32).clamp(max=1 - 2.0**-24)
    return (logits - torch.log(-torch.log1p(-u))).argmax(-1)


def permutation(n: int, key: Tensor) -> Tensor:
    """A uniform permutation of 0 … n−1, int64 [*K, n]: the order of n words of 63 bits.

    >>> sorted(permutation(5, key(0)).tolist())
    [0, 1, 2, 3, 4]
    """
    first, second = _pair("permutation", n, key)
    return torch.argsort((first << 31) | (second >> 1), dim=-1, stable=True)


def choice(n: int | Tensor, shape: Shape, key: Tensor) -> Tensor:
    """Indices drawn uniformly from 0 … n−1 with replacement, int64 [*K, *shape].

    Without replacement: `permutation(n, key)[..., :k]`. Raises: ValueError if there is nothing to choose from.

    >>> choice(1, (2,), key(0)).tolist()
    [0, 0]
    """
    if isinstance(n, int) and not 1 <= n <= _MASK + 1:
        raise ValueError(f"choice: n is {n} but must be from 1 to 2**32, the number of things to choose from.")
    return randint(0, n, shape, key)
