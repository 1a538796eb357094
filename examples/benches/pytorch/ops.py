#!/usr/bin/env python3
"""The ops of `cargo bench -p examples --bench workloads -- --ops` in PyTorch, under the same names; asked as the workloads are.

    echo 1 softmax_columns | python3 examples/benches/pytorch/ops.py
"""
import torch
import torch.nn.functional as F

import workloads

OPS = {}
SQUARE = (1024, 1024)
IMAGES = (32, 64, 28, 28)
MAPS = (32, 64, 56, 56)


def op(name, shapes, f):
    """Registers `f` of tensors of these shapes, and its gradients for ones."""
    def build():
        inputs = [torch.randn(*shape, requires_grad=True) for shape in shapes]
        ones = torch.ones_like(f(*inputs))
        return lambda: torch.autograd.grad(f(*inputs), inputs, ones)
    OPS[name] = build


def scattered(count, end, *shape):
    """Numbers below `end`, in no order."""
    return torch.tensor([(i * 7919 + i // 13) % end for i in range(count)]).view(*shape)


MASK = torch.randn(*SQUARE) > 0
ROWS = scattered(1024, 1024, 1024)
TOKENS = scattered(4096, 10_000, 32, 128)
PLACES = scattered(1024 * 1024, 1024, *SQUARE)
LABELS = scattered(512, 32_000, 512)

for _name in ("abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "erf", "erfc", "exp2", "expm1", "log", "log10",
              "log1p", "log2", "reciprocal", "rsqrt", "sin", "sinh", "sqrt", "square", "tan", "sum", "norm"):
    op(_name, [SQUARE], getattr(torch, _name))
for _name in ("atan2", "div", "fmod", "hypot", "logaddexp", "maximum", "pow", "remainder"):
    op(_name, [SQUARE] * 2, getattr(torch, _name))
op("clamp", [SQUARE], lambda x: x.clamp(-1, 1))
op("elu", [SQUARE], F.elu)
op("leaky_relu", [SQUARE], F.leaky_relu)
op("log_sigmoid", [SQUARE], F.logsigmoid)
op("mish", [SQUARE], F.mish)
op("pow_number", [SQUARE], lambda x: x.pow(1.7))
op("selu", [SQUARE], F.selu)
op("silu", [SQUARE], F.silu)
op("softplus", [SQUARE], F.softplus)
op("mse", [SQUARE] * 2, lambda x, y: (x - y).square().mean())
op("mul_column", [SQUARE, (1024, 1)], torch.mul)
op("where", [SQUARE] * 2, lambda x, y: torch.where(MASK, x, y))
op("masked_fill", [SQUARE], lambda x: x.masked_fill(MASK, 0.5))
op("dropout", [SQUARE], lambda x: F.dropout(x, 0.5))
op("transposed_copy", [SQUARE], lambda x: x.t().contiguous())
op("permuted_copy", [(16, 128, 4, 64)], lambda x: x.permute(0, 2, 1, 3).contiguous())
op("slice", [SQUARE], lambda x: x[100:900, 100:900].contiguous())
op("cat", [(1024, 512)] * 2, lambda x, y: torch.cat([x, y], 1))
op("stack", [(1024, 512)] * 2, lambda x, y: torch.stack([x, y], 0))
op("roll", [SQUARE], lambda x: x.roll(100, 1))
op("tril", [SQUARE], torch.tril)
op("pad_zeros", [IMAGES], lambda x: F.pad(x, (1, 1, 1, 1)))
op("pad_reflect", [IMAGES], lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"))
op("pixel_shuffle", [IMAGES], lambda x: F.pixel_shuffle(x, 2))
op("interpolate_nearest", [IMAGES], lambda x: F.interpolate(x, (56, 56)))
op("interpolate_bilinear", [IMAGES], lambda x: F.interpolate(x, (56, 56), mode="bilinear"))
op("index_select", [SQUARE], lambda x: x.index_select(0, ROWS))
op("embedding", [(10_000, 256)], lambda x: F.embedding(TOKENS, x))
op("gather", [SQUARE], lambda x: x.gather(1, PLACES))
op("scatter_add", [SQUARE] * 2, lambda x, y: x.scatter_add(1, PLACES, y))
op("sort", [SQUARE], lambda x: x.sort(1)[0])
op("topk", [SQUARE], lambda x: x.topk(10, 1)[0])
op("cumsum_rows", [SQUARE], lambda x: x.cumsum(1))
op("cumsum_columns", [SQUARE], lambda x: x.cumsum(0))
op("cumprod", [SQUARE], lambda x: x.cumprod(1))
op("max_rows", [SQUARE], lambda x: x.amax(1))
op("prod_rows", [SQUARE], lambda x: x.prod(1))
op("var_rows", [SQUARE], lambda x: x.var(1))
op("logsumexp", [SQUARE], lambda x: x.logsumexp(1))
op("log_softmax", [SQUARE], lambda x: F.log_softmax(x, 1))
op("softmax_columns", [SQUARE], lambda x: F.softmax(x, 0))
op("softmax_short_rows", [(65_536, 10)], lambda x: F.softmax(x, 1))
op("cross_entropy", [(512, 32_000)], lambda x: F.cross_entropy(x, LABELS))
op("cosine_similarity", [SQUARE] * 2, lambda x, y: F.cosine_similarity(x, y, 1))
op("batch_norm", [(64, 64, 28, 28), (64,), (64,)], lambda x, w, b: F.batch_norm(x, None, None, w, b, True))
op("group_norm", [IMAGES, (64,), (64,)], lambda x, w, b: F.group_norm(x, 8, w, b))
op("instance_norm", [IMAGES, (64,), (64,)], lambda x, w, b: F.instance_norm(x, None, None, w, b))
op("layer_norm_short_rows", [(16_384, 64), (64,), (64,)], lambda x, w, b: F.layer_norm(x, (64,), w, b))
op("rms_norm", [SQUARE, (1024,)], lambda x, w: F.rms_norm(x, (1024,), w, 1e-5))
op("max_pool_2", [MAPS], lambda x: F.max_pool2d(x, 2))
op("max_pool_3_stride_2", [MAPS], lambda x: F.max_pool2d(x, 3, 2, 1))
op("avg_pool_2", [MAPS], lambda x: F.avg_pool2d(x, 2))
op("avg_pool_all", [(32, 256, 14, 14)], lambda x: F.adaptive_avg_pool2d(x, 1))
op("conv1d_3", [(32, 64, 256), (64, 64, 3), (64,)], lambda x, w, b: F.conv1d(x, w, b, padding=1))
op("conv3d_3", [(4, 16, 16, 28, 28), (32, 16, 3, 3, 3), (32,)], lambda x, w, b: F.conv3d(x, w, b, padding=1))
op("conv_3_of_7x7", [(8, 512, 7, 7), (512, 512, 3, 3), (512,)], lambda x, w, b: F.conv2d(x, w, b, padding=1))
op("conv_3_of_one", [(1, 64, 56, 56), (64, 64, 3, 3), (64,)], lambda x, w, b: F.conv2d(x, w, b, padding=1))
op("conv_3_stride_2", [MAPS, (128, 64, 3, 3), (128,)], lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1))
op("conv_3_dilated", [IMAGES, (64, 64, 3, 3), (64,)], lambda x, w, b: F.conv2d(x, w, b, padding=2, dilation=2))
op("conv_3_groups", [IMAGES, (64, 16, 3, 3), (64,)], lambda x, w, b: F.conv2d(x, w, b, padding=1, groups=4))
op("conv_5", [(32, 32, 28, 28), (64, 32, 5, 5), (64,)], lambda x, w, b: F.conv2d(x, w, b, padding=2))
op("conv_5_depthwise_stride_2", [(32, 128, 28, 28), (128, 1, 5, 5), (128,)],
   lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=2, groups=128))
op("conv_transpose_4_stride_2", [(32, 64, 14, 14), (64, 32, 4, 4), (32,)],
   lambda x, w, b: F.conv_transpose2d(x, w, b, stride=2, padding=1))
op("dot", [(1_048_576,)] * 2, torch.dot)
op("outer", [(1024,)] * 2, torch.outer)
op("matrix_vector", [(2048, 2048), (2048, 1)], torch.mm)
op("matrix_transposed", [(512, 512)] * 2, lambda x, y: x @ y.t())
op("batched", [(64, 128, 64), (64, 64, 128)], torch.bmm)
op("batched_small", [(1024, 16, 16)] * 2, torch.bmm)
op("einsum", [(8, 128, 4, 64)] * 2, lambda x, y: torch.einsum("bqhd,bkhd->bhqk", x, y))
op("attention", [(8, 4, 256, 64)] * 3, F.scaled_dot_product_attention)
op("attention_causal", [(8, 4, 256, 64)] * 3, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True))


def _argmax():
    x = torch.randn(*SQUARE)
    return lambda: x.argmax(1)


OPS["argmax"] = _argmax
OPS["rand"] = lambda: lambda: torch.rand(*SQUARE)
OPS["randn"] = lambda: lambda: torch.randn(*SQUARE)

if __name__ == "__main__":
    workloads.main(OPS, __doc__)
