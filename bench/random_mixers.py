"""Candidate generators for `frl.random`: (left, right, counter) -> two words, in 64-bit integer operations.

All words are integers in [0, 2**32). Where a product wraps it is marked: signed overflow, which C++ leaves undefined.
"""

from frl import random as R

MASK = 0xFFFFFFFF


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


def chosen(left, right, counter):
    first, rest = R._hash(left ^ counter, right)
    return first, R._second(first, rest)


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


def single(left, right, counter):
    first = (R._mix(left ^ counter) + right) & MASK
    return first, (R._mix(first) + left) & MASK


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
    "threefry2x32-20": threefry(20),
    "threefry2x32-13": threefry(13),
    "threefry2x32-12": threefry(12),
    "philox2x32-10": philox(10),
    "philox2x32-7": philox(7),
    "squares32": squares,
    "feistel-murmur3": feistel(murmur3),
    "frl (feistel-lowbias32)": chosen,
    "double-lowbias32": feistel(R._mix, feedforward=False),
    "feistel-one-and-a-half": feistel(R._mix, half),
    "folded-product": folded,
    "single-lowbias32": single,
}
