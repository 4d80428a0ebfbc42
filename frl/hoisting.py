"""Moves buffers out of the loops of a generated C++ program, so that they are allocated once and not in every step.

Inductor's loop allocates each intermediate result of a step and frees it again; in a short step (a few environments)
that takes more than half of the time. Lines are recognised by their form. What has any other is left alone, so that at
worst nothing moves.
"""

import re
from collections.abc import Sequence

_NAME = r"[A-Za-z_]\w*"
_LOOP = "while (1) {"
_SIZES = re.compile(r"static constexpr int64_t \*?int_array_\d+")
_HANDLE = re.compile(rf"AtenTensorHandle ({_NAME})_handle;")
_ALLOCATE = re.compile(
    rf"AOTI_TORCH_ERROR_CODE_CHECK\(aoti_torch_empty_strided\(\d+, int_array_\d+, int_array_\d+, "
    rf"cached_torch_dtype_\w+, cached_torch_device_type_\w+, \w+, &({_NAME})_handle\)\);"
)
_OWN = re.compile(rf"RAIIAtenTensorHandle ({_NAME})\(\1_handle\);")
_MOVE = re.compile(rf"auto ({_NAME}) = std::move\(({_NAME})\);  // reuse")
_VIEW = re.compile(
    rf"(auto ({_NAME}) = wrap_with_raii_handle_if_needed\(reinterpret_tensor_wrapper\(({_NAME}), \d+, int_array_\d+, "
    r"int_array_\d+, \d+L\)\);)(?:  // alias| \3\.reset\(\);  // reuse)"
)
_FREE = re.compile(rf"({_NAME})\.reset\(\);")
_USE = re.compile(r"cpp_fused_|AOTI_TORCH_ERROR_CODE_CHECK\(aoti_torch_cpu_(mm|addmm|bmm|baddbmm)_out\(|//")


def hoist(lines: Sequence[str]) -> list[str]:
    """The program, with what each innermost loop allocates for itself alone allocated before that loop.

    A buffer moves if every line that names it, or a view of it, or the buffer that takes its memory over, allocates,
    uses or frees it. A line that hands it on to the next step keeps it where it is.
    """
    result: list[str] = []
    opened: int | None = None
    for line in lines:
        if line.strip() == _LOOP:
            opened = len(result)
        result.append(line)
        if opened is not None and line == _indent(result[opened]) + "}":
            result[opened:] = _hoist_from(result[opened:])
            opened = None
    return result


def _hoist_from(loop: list[str]) -> list[str]:
    body = [line.strip() for line in loop]
    owner = _owners(body)
    fixed = {owner[name] for line in body if not _known(line) for name in _names(line, owner)}
    moved = {name for name, allocated in owner.items() if allocated not in fixed}
    indent = _indent(loop[0])
    before: list[str] = []
    inside: list[str] = []
    for line, stripped in zip(loop, body, strict=True):
        free = _FREE.fullmatch(stripped)
        definition = _definition(stripped)
        if _SIZES.match(stripped):
            before.append(indent + stripped)
        elif definition and definition[0] in moved:
            before.append(indent + definition[1])
        elif not (free and free[1] in moved):
            inside.append(line)
    return before + inside


def _owners(body: Sequence[str]) -> dict[str, str]:
    """For each buffer that the loop allocates, each view of one and each that takes one over: the one allocated."""
    owner: dict[str, str] = {}
    for line in body:
        if match := _ALLOCATE.fullmatch(line):
            owner[match[1]] = match[1]
        elif (match := _MOVE.fullmatch(line)) and match[2] in owner:
            owner[match[1]] = owner[match[2]]
        elif (match := _VIEW.fullmatch(line)) and match[3] in owner:
            owner[match[2]] = owner[match[3]]
    return owner


def _definition(line: str) -> tuple[str, str] | None:
    """The name that a line defines, and the definition before the loop."""
    if match := _HANDLE.fullmatch(line) or _ALLOCATE.fullmatch(line) or _OWN.fullmatch(line):
        return match[1], line
    if match := _MOVE.fullmatch(line):
        return match[1], f"auto& {match[1]} = {match[2]};"
    if match := _VIEW.fullmatch(line):
        return match[2], match[1]
    return None


def _known(line: str) -> bool:
    return _definition(line) is not None or bool(_FREE.fullmatch(line) or _USE.match(line))


def _names(line: str, owner: dict[str, str]) -> set[str]:
    return {name for name in re.findall(_NAME, line) if name in owner}


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
