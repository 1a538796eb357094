"""Attention and the layers that are made of it. Weights are given as ours, `[inputs, outputs]`; PyTorch's are transposes."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call


def cases(family):
    attention(family)
    encoder(family)
    positions(family)


def weights(family, size, bias):
    """Those of attention: [W_q, W_k, W_v], their biases, Wₒ, and its bias."""
    small = dict(low=-1.0, high=1.0)
    return ([family.tensor(size, 3 * size, **small)] + [family.tensor(3 * size, **small)] * bias
            + [family.tensor(size, size, **small)] + [family.tensor(size, **small)] * bias)


def named(parameters, bias):
    """Under PyTorch's names."""
    names = ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"]
    names = names if bias else names[::2]
    return {name: p.t() if p.dim() == 2 else p for name, p in zip(names, parameters)}


def masks(family, kind, n, heads, queries, keys):
    """What our layer is told, and PyTorch's two masks."""
    told, attn_mask, padding = {}, None, None
    if "add" in kind:
        numbers = [[family.random.randrange(-64, 65) / 64 for _ in range(keys)] for _ in range(queries)]
        told |= dict(add=sum(numbers, []), width=keys)
        attn_mask = torch.tensor(numbers)
    if "keep" in kind:
        # Each query may attend to the first key at least.
        allowed = [[1] + [family.random.randrange(2) for _ in range(keys - 1)] for _ in range(queries)]
        told["keep"], attn_mask = allowed, torch.tensor(allowed) == 0
    if "causal" in kind:
        told["causal"] = True
        ahead = torch.ones(queries, keys).triu(1) == 1
        attn_mask = ahead if attn_mask is None else (
            attn_mask | ahead if attn_mask.dtype == torch.bool else attn_mask.masked_fill(ahead, -torch.inf))
    if "keys" in kind:
        there = [[1] * (keys - i % 2) + [0] * (i % 2) for i in range(n)]
        told["keys"], padding = there, torch.tensor(there) == 0
    if padding is not None and attn_mask is not None and attn_mask.dtype != torch.bool:
        padding = torch.zeros(padding.shape).masked_fill(padding, -torch.inf)
    return told, dict(attn_mask=attn_mask, key_padding_mask=padding)


def attention(family):
    kinds = [(), ("add",), ("keep",), ("causal",), ("keys",), ("add", "keys"), ("keep", "keys", "causal"), ("add", "causal")]
    for number, kind in enumerate(kinds):
        for heads in (1, 2):
            n, queries, keys, size, bias = 2, 2, 3, 4, number != 3
            parameters = weights(family, size, bias)
            layer = nn.MultiheadAttention(size, heads, bias=bias, batch_first=True)

            # One sequence.
            told, given = masks(family, kind, n, heads, keys, keys)
            x = family.tensor(n, keys, size, strided=heads == 2)
            family.case("self_attention", lambda x, *p: functional_call(
                layer, named(p, bias), (x, x, x), given | dict(need_weights=False))[0],
                x, *parameters, heads=heads, bias=bias, **told)

            # Another one, with the weights of each head.
            told, given = masks(family, kind, n, heads, queries, keys)
            query, key, value = family.tensor(n, queries, size), family.tensor(n, keys, size), family.tensor(n, keys, size)
            family.case("cross_attention", lambda q, k, v, *p: functional_call(
                layer, named(p, bias), (q, k, v), given | dict(average_attn_weights=False)),
                query, key, value, *parameters, heads=heads, bias=bias, **told)


def encoder(family):
    for norm_first in (False, True):
        for gelu, kind in [(False, ()), (True, ("causal",)), (norm_first, ("keys",))]:
            size, heads, hidden = 4, 2, 3
            layer = nn.TransformerEncoderLayer(size, heads, hidden, 0.0, "gelu" if gelu else "relu", 1e-5, True, norm_first)
            given = of_layer(family, size, hidden)
            told, of_masks = masks(family, kind, 2, heads, 3, 3)
            x = family.tensor(2, 3, size)
            family.case("encoder_layer", lambda x, *p: functional_call(
                layer, layer_named(p), (x,), dict(src_mask=of_masks["attn_mask"],
                                                  src_key_padding_mask=of_masks["key_padding_mask"])),
                x, *given, heads=heads, hidden=hidden, norm_first=norm_first, gelu=gelu, **told)

            both = nn.TransformerEncoder(layer, 2, nn.LayerNorm(size) if norm_first else None, enable_nested_tensor=False)
            many = of_layer(family, size, hidden) + of_layer(family, size, hidden)
            if norm_first:
                many += [family.tensor(size), family.tensor(size)]

            def stack(x, *p):
                names = {}
                for number in range(2):
                    for name, value in layer_named(p[number * 12:number * 12 + 12]).items():
                        names[f"layers.{number}.{name}"] = value
                names |= dict(zip(["norm.weight", "norm.bias"], p[24:]))
                return functional_call(both, names, (x,), dict(
                    mask=of_masks["attn_mask"], src_key_padding_mask=of_masks["key_padding_mask"]))

            family.case("encoder", stack, x, *many, heads=heads, hidden=hidden, norm_first=norm_first, gelu=gelu, **told)


def of_layer(family, size, hidden):
    small = dict(low=-1.0, high=1.0)
    return weights(family, size, True) + [
        family.tensor(size, hidden, **small), family.tensor(hidden, **small), family.tensor(hidden, size, **small),
        family.tensor(size, **small)] + [family.tensor(size) for _ in range(4)]


def layer_named(parameters):
    names = ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias", "norm1.weight", "norm1.bias",
             "norm2.weight", "norm2.bias"]
    own = {f"self_attn.{name}": p for name, p in named(parameters[:4], True).items()}
    return own | {name: p.t() if p.dim() == 2 else p for name, p in zip(names, parameters[4:])}


def positions(family):
    for shape in [(3, 4), (2, 3, 4), (1, 5, 1), (2, 2, 3, 2), (4, 5)]:
        length, size = shape[-2:]
        place = torch.arange(length).unsqueeze(1) / 10000 ** (torch.arange(size) // 2 * 2 / size)
        waves = torch.where(torch.arange(size) % 2 == 0, place.sin(), place.cos())
        family.case("positional_encoding", lambda x: x + waves, family.tensor(*shape))
        table = family.tensor(6, size)
        family.case("positional_embedding", lambda x, table: x + F.embedding(torch.arange(length), table),
                    family.tensor(*shape), table)
