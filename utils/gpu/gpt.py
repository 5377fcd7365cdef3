"""GPT: scores for the token that comes next. Torch twin of utils.reference.gpt.

Parameters are named and shaped as there. To train fast, compile the loss, run it under autocast
to bfloat16, and give it a vocabulary that is a multiple of 64, 50304 for GPT-2's 50257: the model
soon learns that the tokens too many never come.

    compiled_loss = torch.compile(gpt_loss)
    with torch.autocast("cuda", torch.bfloat16):
        loss = compiled_loss(tokens, targets, params, n_heads)
    loss.backward()

Weights, their gradients and the residual stream then stay in float32; products and attention are
in bfloat16.
"""

import math

import torch
import torch.nn.functional as F

from .activations import gelu
from .attention import _split_heads, attention_forward
from .losses import sequence_cross_entropy
from .mlp import affine_forward
from .normalization import layer_norm_forward
from .sampling import sample


def gpt_shapes(vocabulary, context, width, n_layers, tied=True):
    """Torch twin of utils.reference.gpt.gpt_shapes."""
    V, D = vocabulary, width
    if min(V, context, D, n_layers) < 1:
        raise ValueError(
            "vocabulary, context, width, n_layers must be at least 1, "
            f"got {(V, context, D, n_layers)}"
        )
    block = {
        "ln1_gamma": (D,),
        "ln1_beta": (D,),
        "w_qkv": (D, 3 * D),
        "b_qkv": (3 * D,),
        "w_o": (D, D),
        "b_o": (D,),
        "ln2_gamma": (D,),
        "ln2_beta": (D,),
        "w_up": (D, 4 * D),
        "b_up": (4 * D,),
        "w_down": (4 * D, D),
        "b_down": (D,),
    }
    shapes = {"token_embedding": (V, D), "position_embedding": (context, D)}
    for layer in range(n_layers):
        shapes |= {f"block{layer}.{name}": shape for name, shape in block.items()}
    shapes |= {"ln_gamma": (D,), "ln_beta": (D,)}
    return shapes if tied else shapes | {"head": (D, V)}


def gpt_init(vocabulary, context, width, n_layers, generator, tied=True):
    """Torch twin of utils.reference.gpt.gpt_init.

    Differs: the parameters live on the generator's device, in torch's default dtype, and
    require gradients.
    """
    params, device = {}, generator.device
    for name, shape in gpt_shapes(vocabulary, context, width, n_layers, tied).items():
        if len(shape) == 1:
            params[name] = torch.full(shape, float(name.endswith("gamma")), device=device)
        else:
            adds = name.endswith((".w_o", ".w_down"))
            std = 0.02 / math.sqrt(2 * n_layers) if adds else 0.02
            params[name] = std * torch.randn(shape, generator=generator, device=device)
    return {name: w.requires_grad_() for name, w in params.items()}


def gpt_n_parameters(vocabulary, context, width, n_layers, tied=True):
    """Torch twin of utils.reference.gpt.gpt_n_parameters."""
    shapes = gpt_shapes(vocabulary, context, width, n_layers, tied)
    return sum(math.prod(shape) for shape in shapes.values())


def gpt_flops_per_token(vocabulary, context, width, n_layers):
    """Torch twin of utils.reference.gpt.gpt_flops_per_token."""
    T, D = context, width
    N = gpt_n_parameters(vocabulary, context, width, n_layers) - T * D
    return 6 * N + 12 * n_layers * D * T


def block_forward(x, block, n_heads):
    """Torch twin of utils.reference.gpt.block_forward."""
    q, k, v = _queries_keys_values(x, block, n_heads)  # each (B, n_heads, T, d)
    heads = attention_forward(q, k, v, causal=True)  # (B, n_heads, T, d)
    h = x + affine_forward(_join_heads(heads), block["w_o"], block["b_o"])  # (B, T, D)
    return h + _mlp_forward(h, block)


def gpt_forward(tokens, params, n_heads):
    """Torch twin of utils.reference.gpt.gpt_forward."""
    x = _embed(tokens, params, start=0)  # (B, T, D)
    for layer in range(_n_layers(params)):
        x = block_forward(x, _block(params, layer), n_heads)
    return _scores(x, params)  # (B, T, V)


def gpt_loss(tokens, targets, params, n_heads, mask=None):
    """Torch twin of utils.reference.gpt.gpt_loss."""
    return sequence_cross_entropy(gpt_forward(tokens, params, n_heads), targets, mask)


def gpt_step(tokens, params, n_heads, past=None):
    """Torch twin of utils.reference.gpt.gpt_step."""
    old = past[0][0].shape[2] if past else 0
    if past and past[0][0].shape[:2] != (len(tokens), n_heads):
        raise ValueError(
            f"past must begin with B and n_heads, {(len(tokens), n_heads)}, "
            f"got shape {tuple(past[0][0].shape)}"
        )
    x, present = _embed(tokens, params, start=old), []  # (B, T, D)
    T = x.shape[1]
    mask = None  # a text's first tokens are causal, one token may look everywhere
    if past and T > 1:
        mask = torch.ones(T, old + T, dtype=torch.bool, device=x.device).tril(old)
    for layer in range(_n_layers(params)):
        block = _block(params, layer)
        q, k, v = _queries_keys_values(x, block, n_heads)
        if past:
            k, v = (torch.cat(pair, dim=2) for pair in zip(past[layer], (k, v), strict=True))
        present.append((k, v))  # (B, n_heads, S, d)
        heads = attention_forward(q, k, v, mask, causal=not past)
        x = x + affine_forward(_join_heads(heads), block["w_o"], block["b_o"])
        x = x + _mlp_forward(x, block)
    return _scores(x, params), present


@torch.no_grad()
def generate(
    tokens,
    n_new,
    params,
    n_heads,
    generator,
    temperature=1.0,
    top_k=None,
    top_p=None,
    use_cache=True,
):
    """Torch twin of utils.reference.gpt.generate."""
    if n_new < 0 or tokens.ndim != 2 or tokens.shape[1] == 0:
        raise ValueError(
            "tokens must be (B, T), T at least 1, and n_new at least 0, "
            f"got {tuple(tokens.shape)} and {n_new}"
        )
    context = len(params["position_embedding"])
    text, new, past = tokens.clone(), tokens, None
    for _ in range(n_new):
        if use_cache and text.shape[1] <= context:
            scores, past = gpt_step(new, params, n_heads, past)
        else:
            scores = gpt_forward(text[:, -context:], params, n_heads)
        new = sample(scores[:, -1], generator, temperature, top_k, top_p)[:, None]  # (B, 1)
        text = torch.cat([text, new], dim=1)
    return text


def _queries_keys_values(x, block, n_heads):
    """One product for all three; each (B, n_heads, T, d)."""
    _require_heads(n_heads, x.shape[-1])
    normal = layer_norm_forward(x, block["ln1_gamma"], block["ln1_beta"])
    qkv = affine_forward(normal, block["w_qkv"], block["b_qkv"])  # (B, T, 3 D)
    return [_split_heads(a, n_heads) for a in qkv.chunk(3, dim=-1)]


def _join_heads(x):
    """(B, n_heads, T, d) as (B, T, D)."""
    return x.transpose(-2, -3).flatten(-2)


def _mlp_forward(x, block):
    normal = layer_norm_forward(x, block["ln2_gamma"], block["ln2_beta"])
    a = affine_forward(normal, block["w_up"], block["b_up"])  # (B, T, 4 D)
    return affine_forward(gelu(a, approximate=True), block["w_down"], block["b_down"])


def _embed(tokens, params, start):
    """What stands at places start, start + 1, ..., (B, T, D)."""
    if tokens.ndim != 2 or tokens.dtype != torch.int64:
        raise ValueError(
            f"tokens must be (B, T) int64, got {tokens.dtype} of shape {tuple(tokens.shape)}"
        )
    positions = params["position_embedding"]
    stop = start + tokens.shape[1]
    if stop > len(positions):
        raise ValueError(f"a text must be at most the context, {len(positions)}, got {stop} tokens")
    return F.embedding(tokens, params["token_embedding"]) + positions[start:stop]


def _scores(x, params):
    normal = layer_norm_forward(x, params["ln_gamma"], params["ln_beta"])
    return F.linear(normal, params["head"].T if "head" in params else params["token_embedding"])


def _n_layers(params):
    return sum(name.endswith(".w_qkv") for name in params)


def _block(params, layer):
    """The parameters of one block."""
    prefix = f"block{layer}."
    return {name[len(prefix) :]: w for name, w in params.items() if name.startswith(prefix)}


def _require_heads(n_heads, D):
    if n_heads < 1 or D % n_heads:
        raise ValueError(f"n_heads must divide the width, {D}, got {n_heads}")
