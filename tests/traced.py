"""Functions by their traced graph, which is run as it is: to compile it takes seconds."""

from frl import tree
from frl.tracing import trace


def traced(f):
    """Runs the traced graph of `f`, a function of trees of tensors, in place of `f`."""

    def run(*args):
        leaves, structure = tree.flatten(args)
        out_structure = None

        def flat(*leaves):
            nonlocal out_structure
            outputs, out_structure = tree.flatten(f(*tree.unflatten(structure, leaves)))
            return outputs

        graph = trace(flat, leaves)
        return tree.unflatten(out_structure, graph.module()(*leaves, *graph.closed_over))

    return run
