"""GPT: at every place of a text, scores for the token that comes next, from all up to that place.

    x = token_embedding[tokens] + position_embedding       what stands here, and where here is
    L blocks of
        x = x + attention(layer_norm(x))                   places tell each other what they know
        x = x + down(gelu(up(layer_norm(x))))              each place thinks about it on its own
    scores = layer_norm(x) head

x, (B, T, D), is the residual stream: a block only ever adds to it, so gradients come back along it
through any number of blocks. Attention is causal, and every place is an example of its own: T
tokens are T lessons at the price of one pass. Without dropout.

The parameters are one flat dictionary, as training carries it; gpt_shapes lists them. V counts the
tokens of the vocabulary, D is the width, L the number of blocks. float32 stays so.

Sources: Vaswani et al., Attention Is All You Need (2017); Radford et al., Language Models are
Unsupervised Multitask Learners (2019), GPT-2, section 2.3: layer norm before a layer, not after.
"""

import math

import numpy as np

from ._gradients import require_gradient
from .activations import gelu, gelu_backward
from .attention import _join_heads, _split_heads, attention_backward, attention_forward
from .losses import sequence_cross_entropy
from .mlp import affine_backward, affine_forward
from .normalization import layer_norm_backward, layer_norm_forward
from .sampling import sample


def gpt_shapes(vocabulary, context, width, n_layers, tied=True):
    """Every parameter's name and shape.

    vocabulary: int, V
    context   : int, the longest text that positions are learned for
    width     : int, D, a multiple of the number of heads
    n_layers  : int, L
    tied      : bool, the head is the transpose of token_embedding; False gives it its own
    returns   : dictionary, name to shape, the blocks' names with block0. to block{L - 1}. before
    raises    : ValueError, if a size is below 1
    source    : tied, Press and Wolf, Using the Output Embedding to Improve Language Models (2017)
    """
    V, D = vocabulary, width
    if min(V, context, D, n_layers) < 1:
        raise ValueError(
            "vocabulary, context, width, n_layers must be at least 1, "
            f"got {(V, context, D, n_layers)}"
        )
    block = {
        "ln1_gamma": (D,),
        "ln1_beta": (D,),
        "w_qkv": (D, 3 * D),  # queries, keys, values; in each, head by head
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
        shapes |= _named(block, layer)  # block0.ln1_gamma, ...
    shapes |= {"ln_gamma": (D,), "ln_beta": (D,)}
    return shapes if tied else shapes | {"head": (D, V)}


def gpt_init(vocabulary, context, width, n_layers, rng, tied=True):
    """Draw parameters at random.

        every weight from a normal distribution of deviation 0.02, every bias 0, every gamma 1;
        w_o and w_down, which add to the stream 2 L times, of deviation 0.02 / sqrt(2 L)

    The sizes are those of gpt_shapes.

    rng    : numpy.random.Generator
    returns: params, a dictionary, float64
    raises : ValueError, if a size is below 1
    source : 0.02, Radford et al., Improving Language Understanding by Generative Pre-Training
             (2018), section 4.1; sqrt(2 L), Radford et al. (2019), section 2.3
    """
    params = {}
    for name, shape in gpt_shapes(vocabulary, context, width, n_layers, tied).items():
        if len(shape) == 1:
            params[name] = np.ones(shape) if name.endswith("gamma") else np.zeros(shape)
        else:
            adds = name.endswith((".w_o", ".w_down"))
            std = 0.02 / math.sqrt(2 * n_layers) if adds else 0.02
            params[name] = std * rng.standard_normal(shape)
    return params


def gpt_n_parameters(vocabulary, context, width, n_layers, tied=True):
    """How many numbers are learned.

        V D + context D + L (12 D^2 + 13 D) + 2 D, and V D more if the head is not tied

    The sizes are those of gpt_shapes; GPT-2 small, (50257, 1024, 768, 12), has 124,439,808.

    returns: int
    raises : ValueError, if a size is below 1
    """
    shapes = gpt_shapes(vocabulary, context, width, n_layers, tied)
    return sum(math.prod(shape) for shape in shapes.values())


def gpt_flops_per_token(vocabulary, context, width, n_layers):
    """What a training step must compute for each token, to compare with what a machine can.

        6 N + 12 L D T

    N counts the parameters less the embeddings, which are looked up, but with the head, tied or
    not. Each multiplies and adds once in the forward pass, 2 operations, and twice in the
    backward pass, for dx and for dw. The T D multiplications of q . k, and T D more of p v, come
    on top in each block, 4 D T operations, and again twice as many backward. That causal
    attention needs only half of them is not counted.

    The sizes are those of gpt_shapes, with T the context, or less for shorter texts.

    returns: int, floating-point operations per token, forward and backward
    raises : ValueError, if a size is below 1
    source : Chowdhery et al., PaLM (2022), appendix B
    """
    T, D = context, width
    N = gpt_n_parameters(vocabulary, context, width, n_layers) - T * D
    return 6 * N + 12 * n_layers * D * T


def block_forward(x, block, n_heads):
    """One transformer block: what attention finds is added, then what the MLP makes of it.

        h = x + attention(layer_norm(x)),  out = h + down(gelu(up(layer_norm(h))))

    x      : (B, T, D)
    block  : dictionary, one block's parameters, named "w_qkv" where params has "block0.w_qkv"
    n_heads: int >= 1 that divides D
    returns: out, (B, T, D); cache
    raises : ValueError, if shapes disagree or n_heads does not divide D
    """
    (q, k, v), qkv_cache = _queries_keys_values(x, block, n_heads)  # each (B, n_heads, T, d)
    heads, attention_cache = attention_forward(q, k, v, causal=True)  # (B, n_heads, T, d)
    found, o_cache = affine_forward(_join_heads(heads), block["w_o"], block["b_o"])
    h = x + found  # (B, T, D)
    made, mlp_cache = _mlp_forward(h, block)
    return h + made, (qkv_cache, attention_cache, o_cache, mlp_cache)


def block_backward(dout, cache):
    """The gradients of block_forward, from its last line up.

    Where the stream forks, into a layer and past it, the gradients of both ways add.

    dout   : (B, T, D)
    cache  : from block_forward
    returns: dx, (B, T, D); dblock, a dictionary with the names and shapes of block
    raises : ValueError, if dout does not have the shape of out
    """
    qkv_cache, attention_cache, o_cache, mlp_cache = cache
    dh, dmlp = _mlp_backward(dout, mlp_cache)
    dh += dout
    djoined, dw_o, db_o = affine_backward(dh, o_cache)
    n_heads = attention_cache[0].shape[-3]
    dq_dk_dv = attention_backward(_split_heads(djoined, n_heads), attention_cache)
    dx, dqkv = _queries_keys_values_backward(dq_dk_dv, qkv_cache)
    return dh + dx, {**dqkv, "w_o": dw_o, "b_o": db_o, **dmlp}


def gpt_forward(tokens, params, n_heads):
    """Scores for the token after each.

    tokens : (B, T) int in [0, V), T at most the context
    params : dictionary, from gpt_init
    n_heads: int >= 1 that divides D
    returns: scores, (B, T, V), at place t of tokens 0 to t alone; cache
    raises : ValueError, if tokens are no such ints, T is above the context, or n_heads does not
             divide D
    """
    x, caches = _embed(tokens, params, start=0), []  # (B, T, D)
    for layer in range(_n_layers(params)):
        x, block_cache = block_forward(x, _block(params, layer), n_heads)
        caches.append(block_cache)
    normal, ln_cache = layer_norm_forward(x, params["ln_gamma"], params["ln_beta"])
    scores = normal @ _head(params)  # (B, T, V)
    return scores, (tokens, params, caches, normal, ln_cache)


def gpt_backward(dscores, cache):
    """The gradients of gpt_forward.

    A row of an embedding served every place where its token stood, so it gets the sum of their
    gradients (scatter-add); where the head is tied, token_embedding has those of both its uses.

    dscores: (B, T, V)
    cache  : from gpt_forward
    returns: dparams, a dictionary with the names and shapes of params; tokens have no gradient
    raises : ValueError, if dscores does not have the shape of scores
    """
    tokens, params, caches, normal, ln_cache = cache
    head = _head(params)
    V, T = head.shape[1], tokens.shape[1]
    require_gradient(dscores, (*tokens.shape, V), "dscores")
    dhead = normal.reshape(-1, len(head)).T @ dscores.reshape(-1, V)  # (D, V)
    dx, dgamma, dbeta = layer_norm_backward(dscores @ head.T, ln_cache)
    dparams = {"ln_gamma": dgamma, "ln_beta": dbeta}
    for layer in reversed(range(len(caches))):
        dx, dblock = block_backward(dx, caches[layer])
        dparams |= _named(dblock, layer)
    if "head" in params:
        dparams["head"], dtoken = dhead, np.zeros_like(params["token_embedding"])
    else:
        dtoken = dhead.T.copy()
    np.add.at(dtoken, tokens, dx)  # dtoken[tokens] += dx would take one of a token's places only
    dposition = np.zeros_like(params["position_embedding"])
    dposition[:T] = dx.sum(axis=0)
    return {"token_embedding": dtoken, "position_embedding": dposition, **dparams}


def gpt_loss(tokens, targets, params, n_heads, mask=None):
    """Mean cross-entropy of the next token, and its gradients.

    tokens : (B, T) int in [0, V), T at most the context, B and T at least 1
    targets: (B, T) int in [0, V) wherever the mask is True: tokens, one place further on
    params : dictionary, from gpt_init
    n_heads: int >= 1 that divides D
    mask   : (B, T) bool, True where a target counts; None counts all
    returns: loss, float, nats per target that counts, log V if all scores are equal; dparams, a
             dictionary with the names of params
    raises : ValueError, as gpt_forward and losses.sequence_cross_entropy
    """
    scores, cache = gpt_forward(tokens, params, n_heads)
    loss, dscores = sequence_cross_entropy(scores, targets, mask)
    return loss, gpt_backward(dscores, cache)


def gpt_step(tokens, params, n_heads, past=None):
    """gpt_forward for a text's next tokens, without its former ones being computed again.

    Nothing a place has computed depends on what comes after it. Of the past only the keys and
    values will be asked for, so they are kept (the key-value cache): a new token costs one row of
    queries against S keys, where a whole pass has S rows.

    tokens : (B, T) int in [0, V), the new ones: a prompt first, then one at a time, T = 1
    params : dictionary, from gpt_init
    n_heads: int >= 1 that divides D
    past   : None at the start of a text, then as returned before
    returns: scores, (B, T, V), those of gpt_forward at these places; past, a list with (keys,
             values) of each block, both (B, n_heads, S, d), S the tokens so far, d = D / n_heads
    raises : ValueError, as gpt_forward, if past and new tokens are together more than the
             context, or past is of another batch or number of heads
    """
    old = past[0][0].shape[2] if past else 0  # how many tokens are past
    if past and past[0][0].shape[:2] != (len(tokens), n_heads):
        raise ValueError(
            f"past must begin with B and n_heads, {(len(tokens), n_heads)}, "
            f"got shape {past[0][0].shape}"
        )
    x, present, T = _embed(tokens, params, start=old), [], tokens.shape[1]  # (B, T, D)
    mask = np.tri(T, old + T, old, dtype=bool)  # all that is past, and of the new what came before
    for layer in range(_n_layers(params)):
        block = _block(params, layer)
        (q, k, v), _ = _queries_keys_values(x, block, n_heads)  # (B, n_heads, T, d)
        if past:
            k, v = (np.concatenate(pair, axis=2) for pair in zip(past[layer], (k, v), strict=True))
        present.append((k, v))  # (B, n_heads, S, d)
        heads, _ = attention_forward(q, k, v, mask)  # (B, n_heads, T, d)
        x = x + affine_forward(_join_heads(heads), block["w_o"], block["b_o"])[0]
        x = x + _mlp_forward(x, block)[0]
    normal, _ = layer_norm_forward(x, params["ln_gamma"], params["ln_beta"])
    return normal @ _head(params), present


def generate(
    tokens, n_new, params, n_heads, rng, temperature=1.0, top_k=None, top_p=None, use_cache=True
):
    """Go on with a text, token by token: each is drawn, then read like those before it.

    Once the text is longer than the context, the model sees its last `context` tokens. This
    window moves by one with every token, and what is in it moves to other positions: no key or
    value of before is true any more, and each token costs a whole pass, with a cache or without.

    tokens : (B, T) int in [0, V), T at least 1, the beginnings
    n_new  : int >= 0
    params : dictionary, from gpt_init
    n_heads: int >= 1 that divides D
    rng    : numpy.random.Generator
    temperature, top_k, top_p: as in sampling.sample; at temperature 0 always the best
    use_cache: bool, gpt_step as long as the text fits into the context, or gpt_forward always:
             the same tokens, later
    returns: (B, T + n_new) int64, the beginnings and what was drawn
    raises : ValueError, as gpt_forward, if n_new is negative or there is no token to begin with
    """
    if n_new < 0 or tokens.ndim != 2 or tokens.shape[1] == 0:
        raise ValueError(
            "tokens must be (B, T), T at least 1, and n_new at least 0, "
            f"got {tokens.shape} and {n_new}"
        )
    context = len(params["position_embedding"])
    text, new, past = tokens.astype(np.int64), tokens, None
    for _ in range(n_new):
        if use_cache and text.shape[1] <= context:
            scores, past = gpt_step(new, params, n_heads, past)
        else:
            scores, _ = gpt_forward(text[:, -context:], params, n_heads)
        new = sample(scores[:, -1], rng, temperature, top_k, top_p)[:, None]  # (B, 1)
        text = np.concatenate([text, new], axis=1)
    return text


def _queries_keys_values(x, block, n_heads):
    """One product for all three; each (B, n_heads, T, d)."""
    _require_heads(n_heads, x.shape[-1])
    normal, ln1_cache = layer_norm_forward(x, block["ln1_gamma"], block["ln1_beta"])
    qkv, qkv_cache = affine_forward(normal, block["w_qkv"], block["b_qkv"])  # (B, T, 3 D)
    each = [_split_heads(a, n_heads) for a in np.split(qkv, 3, axis=-1)]
    return each, (ln1_cache, qkv_cache)


def _queries_keys_values_backward(dout, cache):
    ln1_cache, qkv_cache = cache
    dqkv = np.concatenate([_join_heads(a) for a in dout], axis=-1)  # (B, T, 3 D)
    dnormal, dw_qkv, db_qkv = affine_backward(dqkv, qkv_cache)
    dx, dgamma, dbeta = layer_norm_backward(dnormal, ln1_cache)
    return dx, {"ln1_gamma": dgamma, "ln1_beta": dbeta, "w_qkv": dw_qkv, "b_qkv": db_qkv}


def _mlp_forward(x, block):
    normal, ln2_cache = layer_norm_forward(x, block["ln2_gamma"], block["ln2_beta"])
    a, up_cache = affine_forward(normal, block["w_up"], block["b_up"])  # (B, T, 4 D)
    out, down_cache = affine_forward(gelu(a, approximate=True), block["w_down"], block["b_down"])
    return out, (ln2_cache, up_cache, a, down_cache)


def _mlp_backward(dout, cache):
    ln2_cache, up_cache, a, down_cache = cache
    dactive, dw_down, db_down = affine_backward(dout, down_cache)
    da = gelu_backward(dactive, a, approximate=True)
    dnormal, dw_up, db_up = affine_backward(da, up_cache)
    dx, dgamma, dbeta = layer_norm_backward(dnormal, ln2_cache)
    dup = {"ln2_gamma": dgamma, "ln2_beta": dbeta, "w_up": dw_up, "b_up": db_up}
    return dx, {**dup, "w_down": dw_down, "b_down": db_down}


def _embed(tokens, params, start):
    """What stands at places start, start + 1, ..., (B, T, D)."""
    V, context = len(params["token_embedding"]), len(params["position_embedding"])
    if tokens.ndim != 2 or tokens.dtype.kind not in "iu":
        raise ValueError(f"tokens must be (B, T) ints, got {tokens.dtype} of shape {tokens.shape}")
    if tokens.size and (tokens.min() < 0 or tokens.max() >= V):
        raise ValueError(f"tokens must be in [0, {V}), got {tokens.min()} to {tokens.max()}")
    stop = start + tokens.shape[1]
    if stop > context:
        raise ValueError(f"a text must be at most the context, {context}, got {stop} tokens")
    return params["token_embedding"][tokens] + params["position_embedding"][start:stop]


def _head(params):
    """(D, V), its own or tied."""
    return params["head"] if "head" in params else params["token_embedding"].T


def _n_layers(params):
    return sum(name.endswith(".w_qkv") for name in params)


def _block(params, layer):
    """The parameters of one block, and _named is the way back."""
    prefix = f"block{layer}."
    return {name[len(prefix) :]: w for name, w in params.items() if name.startswith(prefix)}


def _named(block, layer):
    return {f"block{layer}.{name}": w for name, w in block.items()}


def _require_heads(n_heads, D):
    if n_heads < 1 or D % n_heads:
        raise ValueError(f"n_heads must divide the width, {D}, got {n_heads}")
