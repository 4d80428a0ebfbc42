"""What tensordict prints of a TensorDict, from a short description of it."""

from textwrap import indent


def printed(
    fields: dict[str, str], batch: list[int], device: str | None = None, shared: bool = False, kind: str = "Tensor"
) -> str:
    """The text of a TensorDict.

    Args: fields: name to "float32 5 3", dtype and shape of a tensor, or to the text of a nested TensorDict.

    >>> print(printed({"a": "bool 3"}, [3]))
    TensorDict(
        fields={
            a: Tensor(shape=torch.Size([3]), device=cpu, dtype=torch.bool, is_shared=False)},
        batch_size=torch.Size([3]),
        device=None,
        is_shared=False)
    """
    lines: list[str] = []
    for name, text in fields.items():
        if not text.startswith("TensorDict("):
            dtype, *shape = text.split()
            size = f"torch.Size([{', '.join(shape)}])"
            text = f"{kind}(shape={size}, device=cpu, dtype=torch.{dtype}, is_shared={shared})"
        lines.append(f"{name}: {text}")
    parts = [
        "fields={\n" + indent(",\n".join(lines), "    ") + "}",
        f"batch_size=torch.Size({batch})",
        f"device={device}",
        f"is_shared={shared})",
    ]
    return "TensorDict(\n" + indent(",\n".join(parts), "    ")


def steps(
    observed: dict[str, str], acted: dict[str, str], batch: list[int], inner: str | None, outer: str | None
) -> str:
    """The text of steps of an environment: what was observed and its flags, at the root and under "next".

    Args: observed, acted: fields without the batch axes. inner, outer: the devices of "next" and of the root.

    >>> print(steps({"observation": "float32 3"}, {"action": "float32 1"}, [10], "cpu", "cpu"))
    TensorDict(
        fields={
            action: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.float32, is_shared=False),
            done: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.bool, is_shared=False),
            next: TensorDict(
                fields={
                    done: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.bool, is_shared=False),
                    observation: Tensor(shape=torch.Size([10, 3]), device=cpu, dtype=torch.float32, is_shared=False),
                    reward: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.float32, is_shared=False),
                    terminated: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.bool, is_shared=False),
                    truncated: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.bool, is_shared=False)},
                batch_size=torch.Size([10]),
                device=cpu,
                is_shared=False),
            observation: Tensor(shape=torch.Size([10, 3]), device=cpu, dtype=torch.float32, is_shared=False),
            terminated: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.bool, is_shared=False),
            truncated: Tensor(shape=torch.Size([10, 1]), device=cpu, dtype=torch.bool, is_shared=False)},
        batch_size=torch.Size([10]),
        device=cpu,
        is_shared=False)
    """
    axes = "".join(f" {n}" for n in batch)

    def wide(fields: dict[str, str]) -> dict[str, str]:
        texts = {name: text.split(" ", 1) for name, text in fields.items()}
        return {name: f"{text[0]}{axes} {text[1]}" for name, text in texts.items()}

    flags = {**observed, **dict.fromkeys(("done", "terminated", "truncated"), "bool 1")}
    after = printed(dict(sorted(wide({**flags, "reward": "float32 1"}).items())), batch, inner)
    return printed(dict(sorted({**wide({**flags, **acted}), "next": after}.items())), batch, outer)
