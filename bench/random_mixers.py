"""Candidate generators for `frl.random`: (left, right, counter) -> two words, in 64-bit integer operations.

All words are integers in [0, 2**32). Where a product wraps it is marked: signed overflow, which C++ leaves undefined.
"""

from frl import random as R

MASK = 0xFFFFFFFF


def lowbias32(x):
    """Wellons' two-round xorshift-multiply hash, with both factors below 2**31."""
    x = (x ^ (x >> 16)) * 0x21F0AAAD & MASK
    x = (x ^ (x >> 15)) * 0x735A2D97 & MASK
    return x ^ (x >> 15)


def chosen(left, right, counter):
    return R._two(left ^ counter, right)


def threefry(rounds):
    def block(left, right, counter):
        keys = (left, right, left ^ right ^ 0x1BD11BDA)
        a, b = (counter + left) & MASK, right
        for i in range(rounds):
            shift = (13, 15, 26, 6, 17, 29, 16, 24)[i % 8]
            a = (a + b) & MASK
            b = ((b << shift) | (b >> 32 - shift)) & MASK ^ a
            if i % 4 == 3:
                j = i // 4 + 1
                a, b = (a + keys[j % 3]) & MASK, (b + keys[(j + 1) % 3] + j) & MASK
        return a, b

    return block


def philox(rounds):
    def block(left, right, counter):
        key, a, b = left, counter, right
        for _ in range(rounds):
            product = a * 0xD256D193  # wraps: only its bits are used
            a, b = (product >> 32 & MASK) ^ key ^ b, product & MASK
            key = (key + 0x9E3779B9) & MASK
        return a, b

    return block


def feistel(first_mix, second_mix=None, *, feedforward=True):
    second_mix = second_mix or first_mix

    def block(left, right, counter):
        a = first_mix(left ^ counter)
        b = second_mix((right + a) & MASK)
        first = (a + b) & MASK if feedforward else b
        return first, (b + first_mix(first)) & MASK

    return block


def murmur3(x):
    x = (x ^ (x >> 16)) * 0x85EBCA6B & MASK  # wraps
    x = (x ^ (x >> 13)) * 0xC2B2AE35 & MASK
    return x ^ (x >> 16)


def half(x):
    x = (x ^ (x >> 16)) * 0x21F0AAAD & MASK
    return x ^ (x >> 15)


def truncated(left, right, counter):
    x = R._round(R._round(left ^ counter, 0x21F0AAAD) ^ right, 0x735A2D97)
    return x, R._scramble(x)


def single(left, right, counter):
    first = (lowbias32(left ^ counter) + right) & MASK
    return first, (lowbias32(first) + left) & MASK


def squares(left, right, counter):
    key = (left << 32 | right) | 1
    x = y = counter * key  # wraps, as all that follows
    z = y + key
    for add in (y, z, y):
        x = x * x + add
        x = (x >> 32 & MASK) | (x << 32)
    x = x * x + z
    return x >> 32 & MASK, x & MASK


def folded(left, right, counter):
    p = (counter ^ left) * (right | 1)  # wraps
    p = ((p & MASK) ^ 0x53C5CA59) * ((p >> 32 & MASK) ^ 0x74743C1B)
    first = (p ^ (p >> 32)) & MASK
    return first, (first ^ 0x53C5CA59) * 0x74743C1B >> 32 & MASK


MIXERS = {
    "frl": chosen,
    "threefry2x32-20": threefry(20),
    "threefry2x32-13": threefry(13),
    "threefry2x32-12": threefry(12),
    "philox2x32-10": philox(10),
    "philox2x32-7": philox(7),
    "squares32": squares,
    "feistel-murmur3": feistel(murmur3),
    "feistel-lowbias32": feistel(lowbias32),
    "double-lowbias32": feistel(lowbias32, feedforward=False),
    "feistel-one-and-a-half": feistel(lowbias32, half),
    "folded-product": folded,
    "single-lowbias32": single,
    "frl's first half": truncated,
}
