"""The causal transformer: what comes out at a position depends on nothing that comes after it."""

import math

import torch
from torch import Tensor, nn

from frl import check


class CausalSelfAttention(nn.Module):
    """Each position looks at itself and at those before it.

    It consists of plain tensor operations, in which what lies ahead has weight exactly zero: for inputs that are finite
    and have one shape, outputs up to a position are bitwise the same whatever comes after it.

    Args: embed_dim: D, a multiple of num_heads.
    Source: Vaswani et al. (2017), "Attention is all you need", arXiv:1706.03762, section 3.2.

    >>> attention = CausalSelfAttention(8, 2)
    >>> x = torch.arange(80.0).reshape(10, 8) / 80
    >>> changed = torch.cat([x[:5], -x[5:]])
    >>> torch.equal(attention(x)[:5], attention(changed)[:5])
    True
    """

    def __init__(self, embed_dim: int, num_heads: int):
        super().__init__()
        check.at_least("CausalSelfAttention", {"embed_dim": embed_dim, "num_heads": num_heads}, 1)
        if embed_dim % num_heads:
            raise ValueError(
                f"CausalSelfAttention: embed_dim is {embed_dim} but must be a multiple of num_heads, which is "
                f"{num_heads}; pass another of the two."
            )
        self.num_heads = num_heads
        self.project = nn.Linear(embed_dim, 3 * embed_dim)
        self.output = nn.Linear(embed_dim, embed_dim)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """[*B, S, D] -> [*B, S, D]. mask: [*B, S] boolean, False at positions that no other may look at (padding)."""
        q, k, v = (part.unflatten(-1, (self.num_heads, -1)).transpose(-3, -2) for part in self.project(x).chunk(3, -1))
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        weights = torch.where(_visible(x, mask), scores, -torch.inf).softmax(-1)
        return self.output((weights @ v).transpose(-3, -2).flatten(-2))


class CausalTransformer(nn.Module):
    """Layers of causal self-attention and a perceptron, each on the normalised input and added to it, and a last norm.

    Tokens come embedded, with their positions in them. Outputs up to a position are bitwise the same whatever finite
    inputs come after it.

    Args: embed_dim: D. num_layers, num_heads: of attention. num_cells: hidden units of the perceptrons, 4·D by default.
    Source: Radford et al. (2019), "Language models are unsupervised multitask learners" (GPT-2), without dropout.

    >>> CausalTransformer(16, num_layers=2, num_heads=4)(torch.ones(3, 10, 16)).shape
    torch.Size([3, 10, 16])
    """

    def __init__(self, embed_dim: int, num_layers: int, num_heads: int, num_cells: int | None = None):
        super().__init__()
        check.at_least("CausalTransformer", {"num_layers": num_layers}, 1)
        cells = 4 * embed_dim if num_cells is None else num_cells
        self.embed_dim = embed_dim
        self.layers = nn.ModuleList([_Layer(embed_dim, num_heads, cells) for _ in range(num_layers)])
        self.norm = nn.LayerNorm(embed_dim)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """[*B, S, D] -> [*B, S, D]. mask: [*B, S] boolean, False at positions that no other may look at (padding).

        Raises: ValueError for tokens of another size or a mask of another shape.
        """
        if x.ndim < 2 or x.shape[-1] != self.embed_dim:
            raise ValueError(
                f"CausalTransformer: the tokens have shape {list(x.shape)} but must be [*B, S, {self.embed_dim}]; "
                "embed them by nn.Linear or nn.Embedding first."
            )
        if mask is not None:
            check.boolean("CausalTransformer", {"mask": mask})
            check.shape("CausalTransformer", {"mask": mask}, x.shape[:-1], "pass one flag for each token")
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)


class _Layer(nn.Module):
    def __init__(self, embed_dim: int, num_heads: int, num_cells: int):
        super().__init__()
        self.attention_norm = nn.LayerNorm(embed_dim)
        self.attention = CausalSelfAttention(embed_dim, num_heads)
        self.mlp_norm = nn.LayerNorm(embed_dim)
        self.mlp = nn.Sequential(nn.Linear(embed_dim, num_cells), nn.GELU(), nn.Linear(num_cells, embed_dim))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.attention(self.attention_norm(x), mask)
        return x + self.mlp(self.mlp_norm(x))


def _visible(x: Tensor, mask: Tensor | None) -> Tensor:
    """[S, S] or [*B, 1, S, S] boolean: which position (row) looks at which (column); each always looks at itself."""
    position = torch.arange(x.shape[-2], device=x.device)
    causal = position.unsqueeze(-1) >= position
    if mask is None:
        return causal
    itself = position.unsqueeze(-1) == position
    return causal & (mask.unsqueeze(-2).unsqueeze(-2) | itself)
